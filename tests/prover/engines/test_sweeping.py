"""Sweeping: what becomes of a graph computes what the graph did, and nothing merges without proof."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysmt.shortcuts import BV, BVAdd, BVMul, BVType, Equals, Not, NotEquals, Symbol

from spikeproof.circuits.meanings.boolean import evaluate as run
from spikeproof.circuits.meanings.formula import input_symbols, output_formulas
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.prover.encoding.bitblast import FALSE, TRUE, Blaster, Graph
from spikeproof.prover.engines import sweeping
from spikeproof.prover.engines.clausal_proof import Derivation, TracedSolver
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.refutation.mutation import FAULTS, mutants
from spikeproof.specs import symbolic
from spikeproof.specs.formats import FP8_E4M3FN, OverflowPolicy, RoundingMode
from tests.support.formula_evaluation import evaluate
from tests.support.graphs import simulate
from tests.support.operands import all_pairs

MODE, POLICY = RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE


@st.composite
def graphs(draw):
    """A graph of up to six inputs, and one of its literals."""
    graph = Graph()
    literals = [FALSE, *(graph.new_input() for _ in range(draw(st.integers(1, 6))))]
    for _ in range(draw(st.integers(1, 40))):
        a, b = (draw(st.sampled_from(literals)) ^ draw(st.integers(0, 1)) for _ in range(2))
        operation = draw(st.sampled_from((graph.conjunction, graph.exclusive, graph.disjunction)))
        literals.append(operation(a, b))
    return graph, literals[-1] ^ draw(st.integers(0, 1))


def values_on_all_inputs(graph, inputs):
    """Every node's value on every assignment to some inputs, of which there are at most six."""
    assignments = np.arange(64)
    columns = (np.packbits(assignments >> i & 1, bitorder="little") for i in range(len(inputs)))
    words = dict(zip(inputs, (column.view(np.uint64) for column in columns), strict=True))
    return simulate(graph, words)


def swept(graph, root, **options):
    """The graph swept, and nobody asking for the proof."""
    return sweeping.swept(graph, root, Derivation(graph.clauses(root)), **options)


def value(values, literal):
    return ~values[literal >> 1] if literal & 1 else values[literal >> 1]


@given(graphs(), st.sampled_from((0, 1, 1000)), st.sampled_from((-1, 0, sweeping.PATIENCE)))
def test_every_node_keeps_its_function(drawn, conflicts, patience):
    graph, root = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeping, "PATIENCE", patience)
        result = swept(graph, root, conflicts=conflicts, rounds=1)
    inputs = [2 * n for n in graph.cone(root) if n and not graph.conjunctions[n]]
    before = values_on_all_inputs(graph, inputs) if inputs else [np.zeros(1, dtype=np.uint64)]
    images = [result.image(literal) for literal in inputs]
    after = values_on_all_inputs(result.graph, images) if inputs else before
    for node in graph.cone(root):
        assert value(before, 2 * node) == value(after, result.image(2 * node))


@given(graphs())
def test_with_budget_enough_no_two_nodes_are_equal(drawn):
    graph, root = drawn
    result = swept(graph, root, rounds=1)
    inputs = [2 * n for n in graph.cone(root) if n and not graph.conjunctions[n]]
    if inputs:
        values = values_on_all_inputs(result.graph, [result.image(literal) for literal in inputs])
        literals = {literal & ~1 for literal in result.images.values()}
        functions = {min(int(value(values, p)[0]), int(value(values, p ^ 1)[0])) for p in literals}
        assert len(functions) == len(literals)


def test_the_outcome_is_the_same_each_time():
    blaster = Blaster()
    root = blaster.literal(unit_query(unit("add")))
    first, second = (swept(blaster.graph, root) for _ in range(2))
    assert first.images == second.images
    assert first.graph.conjunctions == second.graph.conjunctions


# --- no merge without proof ---------------------------------------------------------------------


class Standin(TracedSolver):
    """A solver that gives one answer, whatever the question."""

    answer = None

    def solve(self, assumption=None, conflicts=None):
        return self.answer


def sums():
    """A literal that is false: whether two ways to add differ."""
    x, y = (Symbol(name, BVType(6)) for name in ("x", "y"))
    blaster = Blaster()
    twice = BVMul(BV(2, 6), BVAdd(x, y))
    return blaster.graph, blaster.literal(NotEquals(twice, BVAdd(BVAdd(x, y), BVAdd(y, x))))


def test_an_undecided_solver_merges_nothing():
    graph, root = sums()
    result = swept(graph, root, solver=Standin)
    assert result.merges == 0
    assert result.undecided > 0
    assert len(result.graph.cone(result.image(root))) == len(graph.cone(root))
    assert swept(graph, root).image(root) == FALSE


def test_half_a_proof_merges_nothing():
    """One of the two questions about a pair answered, the other not."""

    class HalfHearted(Standin):
        asked = 0

        def solve(self, assumption=None, conflicts=None):
            type(self).asked += 1
            return False if self.asked % 2 else None

    graph, root = sums()
    assert swept(graph, root, solver=HalfHearted).merges == 0


def test_a_solver_that_refutes_what_is_equal_does_not_hang():
    graph, root = sums()

    class Contrary(Standin):
        answer = True

        def true_variables(self):
            return set()

    result = swept(graph, root, solver=Contrary)
    assert result.merges == 0
    assert result.refutations == sweeping.PATIENCE + 1  # then it asks no more


def test_rare_differences_are_not_merged():
    """Nodes that differ on one input in 2^40, which random simulation will not find."""
    x = Symbol("x", BVType(40))
    blaster = Blaster()
    root = blaster.literal(Equals(x, BV(0xDEADBEEF42, 40)))
    result = swept(blaster.graph, root)
    assert result.image(root) not in (FALSE, TRUE)
    assert result.refutations > 0
    answer = ENGINES["cadical"].check([Equals(x, BV(0xDEADBEEF42, 40))], 60)
    assert answer.model == {"x": 0xDEADBEEF42}


# --- units --------------------------------------------------------------------------------------


def unit(operation):
    return build_unit(operation, FP8_E4M3FN, MODE, POLICY)


def unit_query(netlist, operation="add"):
    """Satisfiable iff the circuit departs from the spec."""
    inputs = input_symbols(netlist)
    actual = output_formulas(netlist, inputs)["result"]
    expected = symbolic.compute(operation, FP8_E4M3FN, MODE, POLICY, *inputs.values())
    return Not(Equals(actual, expected))


@pytest.mark.parametrize("operation", ["add", "multiply"])
def test_units_are_proved_and_shrink(operation):
    query = unit_query(unit(operation), operation)
    blaster = Blaster()
    root = blaster.literal(query)
    result = swept(blaster.graph, root, conflicts=20)
    assert result.merges > 100
    assert len(result.graph.cone(result.image(root))) < len(blaster.graph.cone(root)) * 0.6
    assert ENGINES["cadical"].check([query], 60).status is Status.UNSATISFIABLE


@pytest.mark.parametrize("kind", FAULTS)
def test_faulty_units_are_refuted_by_inputs_that_show_it(kind):
    netlist = unit("add")
    pairs = dict(zip(("x", "y"), all_pairs(FP8_E4M3FN), strict=True))
    right = run(netlist, pairs)["result"]
    for mutant, _ in zip(mutants(netlist, kind, seed=1), range(6), strict=False):
        benign = np.array_equal(run(mutant.netlist, pairs)["result"], right)
        query = unit_query(mutant.netlist)
        answer = ENGINES["cadical"].check([query], 60)
        assert answer.status is (Status.UNSATISFIABLE if benign else Status.SATISFIABLE), mutant.fault
        if not benign:
            model = {name: np.array([answer.model[name]], dtype=np.uint64) for name in pairs}
            assert evaluate(query, model).all(), mutant.fault
