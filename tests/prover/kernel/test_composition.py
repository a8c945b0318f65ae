"""Decomposed proofs: sound lemmas compose, and each way to cheat is caught."""

from contextlib import nullcontext
from dataclasses import replace
from itertools import count, cycle, product

import numpy as np
import pytest
from pysmt.shortcuts import (
    BV,
    BVULT,
    FALSE,
    TRUE,
    And,
    BVAdd,
    BVConcat,
    BVExtract,
    BVNot,
    BVType,
    BVXor,
    Equals,
    Not,
    NotEquals,
    Symbol,
)

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import UNUSED, ZERO, NetlistBuilder, Neuron
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import (
    COMPACT,
    FAST,
    LARGER_RADICES,
    LIBRARIES,
    SHALLOW,
    SMALL,
    STRUCTURE_NAMES,
    shallow,
)
from spikeproof.proofs.units import STEPS, Unit
from spikeproof.prover.claims.obligation import (
    Claim,
    Decomposition,
    Obligation,
    Outcome,
    StatementError,
    Step,
    counted,
    equivalence,
)
from spikeproof.prover.engines.engine import ENGINES, Answer, Engine
from spikeproof.prover.evidence.record import EngineUse, Status
from spikeproof.prover.kernel import case as case_module
from spikeproof.prover.kernel import recurrence, telescoping
from spikeproof.prover.kernel.cells import AlgebraError, Site
from spikeproof.prover.kernel.composition import (
    CompositionError,
    compose,
    free_symbol,
    is_composed,
    seen_alike,
)
from spikeproof.prover.kernel.splitting import split
from spikeproof.prover.kernel.telescoping import Log
from spikeproof.prover.refutation.mutation import FAULTS, mutants, stuck_at_zero, with_neuron
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import BFLOAT16, FP16, OverflowPolicy, RoundingMode, ieee_format
from spikeproof.specs.symbolic import bit
from tests.support.netlists import all_inputs
from tests.support.profile import NIGHTLY, one_of_each, parameter_id

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

RNE, IEEE, SATURATE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE, OverflowPolicy.SATURATE


def buses(netlist, kind):
    """The operand and result buses of a block, in order."""
    (block,) = (block for block in netlist.blocks if block.kind == kind)
    return tuple(block.inputs.values()), tuple(block.outputs.values())


# --- products by telescoping --------------------------------------------------------------------


def telescopes(netlist):
    operands, results = buses(netlist, "multiply")
    return telescoping.product_claims(Site(netlist, operands, results))


WIDTHS = (1, 2, 3, 8, 24, *([53] if NIGHTLY else []))

PRODUCTS = one_of_each(
    [
        *product(WIDTHS, LIBRARIES, (SMALL, FAST)),
        *product(WIDTHS[1:], ("threshold",), (SHALLOW, shallow(4), COMPACT)),
    ],
    kind=lambda case: (24, case[2]) if case[0] == 24 else case,
)
"""Widths, libraries and structures; by default the wide are of one library each."""


@pytest.mark.parametrize(("width", "library", "structure"), PRODUCTS)
def test_products_of_any_width_telescope(library, width, structure):
    claims = telescopes(block_netlist(library, "multiply", {"x": width, "y": width}, structure))
    assert len(claims) == (structure not in (SMALL, COMPACT))
    if width <= 8:
        assert all(holds(claim) for claim in claims.values())


def holds(claim):
    """Whether CaDiCaL proves a claim."""
    answer = ENGINES["cadical"].check([*claim.assumptions, Not(claim.goal)], 60)
    return answer.status is Status.UNSATISFIABLE


def test_products_of_unequal_widths_telescope():
    for structure in (SMALL, FAST):
        telescopes(block_netlist("nexus", "multiply", {"x": 5, "y": 3}, structure))


@pytest.mark.parametrize(
    "structure", [SMALL, FAST, SHALLOW, COMPACT], ids=["array", "tree", "columns", "search"]
)
@pytest.mark.parametrize("kind", FAULTS)
def test_faulty_multipliers_are_not_proved(kind, structure):
    netlist = block_netlist("threshold", "multiply", {"x": 6, "y": 6}, structure)
    inputs = all_inputs(netlist)
    products = inputs["x"] * inputs["y"]
    for mutant, _ in zip(mutants(netlist, kind, seed=7), range(24), strict=False):
        if not mutant.netlist.cells:
            continue  # a wire across a cell's boundary: the cells are gone, and nothing to add up
        if mutant.netlist.neurons == netlist.neurons:
            continue  # the algebra is about the block: it knows nothing of where its outputs go
        if np.array_equal(boolean.evaluate(mutant.netlist, inputs)["product"], products):
            continue  # operands exchanged, say
        try:
            claims = telescopes(mutant.netlist)
        except AlgebraError:
            continue
        assert not all(map(holds, claims.values())), mutant.fault


def test_a_tampered_log_is_refused():
    netlist = block_netlist("ionic", "multiply", {"x": 4, "y": 4})
    (x, y), (product,) = buses(netlist, "multiply")
    log = telescoping.derive(netlist, product)
    (first, weight), *others = log.weights
    for tampered in (
        others,
        [(first, weight + 1), *others],
        [(first, weight), (first, weight), *others],
        [(first - 1, weight), *others],
    ):
        with pytest.raises(AlgebraError):
            telescoping.check(netlist, x, y, product, Log(tuple(tampered)))


def test_buses_that_are_crossed_are_refused():
    netlist = block_netlist("threshold", "multiply", {"x": 4, "y": 4})
    (x, y), (product,) = buses(netlist, "multiply")
    low, second, *high = product
    for operands, results in (
        ((x, y), ((second, low, *high),)),
        ((x, x), (product,)),
        ((x, y), (product[:-1],)),
        ((x[::-1], y), (product,)),
    ):
        with pytest.raises(AlgebraError):
            telescoping.product_claims(Site(netlist, operands, results))


def fp16_with(cell_change):
    """An FP16 multiplier in which one inner adder cell and the netlist are changed together."""
    netlist = build_unit("multiply", FP16, RNE, IEEE)
    index = next(
        i
        for i in reversed(range(len(netlist.cells)))
        if netlist.cells[i].kind == "full_adder"
        and min(s for bus in netlist.cells[i].inputs.values() for s in bus) >= 0
    )
    cells = list(netlist.cells)
    cells[index], neurons = cell_change(netlist, cells[index])
    return replace(netlist, cells=tuple(cells), neurons=neurons)


def crossed_sum_and_carry(netlist, cell):
    """Sum and carry are swapped for all who read them, and the cell names them accordingly."""
    total, carry = cell.outputs["sum"][0], cell.outputs["carry"][0]
    other = {total: carry, carry: total}
    neurons = [
        neuron
        if signal in other
        else replace(neuron, synapses=tuple((other.get(s, s), w) for s, w in neuron.synapses))
        for signal, neuron in enumerate(netlist.neurons, start=netlist.input_count)
    ]
    return replace(cell, outputs={"carry": (total,), "sum": (carry,)}), tuple(neurons)


def hidden_input(netlist, cell):
    """The cell adds a third bit that an output bus of the same name hides from the equation."""
    return replace(cell, outputs={**cell.outputs, "c": (ZERO,)}), netlist.neurons


def wide_output(netlist, cell):
    """The sum has a second bit."""
    outputs = {**cell.outputs, "sum": cell.outputs["sum"] + cell.outputs["carry"]}
    return replace(cell, outputs=outputs), netlist.neurons


def unread_carry(netlist, cell):
    """The carry is said to be read by nobody, though it counts."""
    return replace(cell, outputs={**cell.outputs, "carry": (UNUSED,)}), netlist.neurons


@pytest.mark.parametrize("change", [crossed_sum_and_carry, hidden_input, wide_output, unread_carry])
def test_cells_that_are_not_what_they_say_do_not_telescope(change):
    """Found in review: cells come with the circuit, and nothing in them is to be believed."""
    netlist = fp16_with(change)
    (x, y), (product,) = buses(netlist, "multiply")
    sound = telescoping.derive(build_unit("multiply", FP16, RNE, IEEE), product)
    with pytest.raises(AlgebraError):
        telescoping.check(netlist, x, y, product, sound)
    with pytest.raises(AlgebraError):
        telescopes(netlist)


# --- quotients and roots by rows ----------------------------------------------------------------

ROWS = {
    "divide": (recurrence.quotient_claims, lambda width: {"x": width, "y": width}),
    "square_root": (recurrence.root_claims, lambda width: {"x": 2 * width}),
}


def row_claims(netlist, kind):
    algebra, _ = ROWS[kind]
    operands, results = buses(netlist, kind)
    free = tuple(free_symbol(f"operand{len(bus)}", len(bus)) for bus in operands)
    return together(algebra(Site(netlist, operands, results, free)))


def together(claims):
    """One claim of those of rows, whether these have a lemma for all or one each."""
    rows = [claim for name, claim in claims.items() if name.startswith("row")]
    symbols = {name: symbol for claim in rows for name, symbol in claim.inputs.items()}
    return Claim(symbols, And(claim.goal for claim in rows))


@pytest.mark.parametrize(
    ("library", "structure"),
    [
        *product(LIBRARIES, (SMALL, FAST)),
        *product(("threshold",), (SHALLOW, shallow(4), *LARGER_RADICES.values())),
    ],
    ids=lambda each: STRUCTURE_NAMES.get(each, each),
)
@pytest.mark.parametrize("kind", ROWS)
def test_rows_of_any_width_continue_one_another(kind, library, structure):
    wide, usual = {SMALL: (11, 8), FAST: (11, 8), SHALLOW: (8, 6), shallow(4): (8, 6)}.get(
        structure, (7, 4)
    )
    for width in (2, 5, wide if NIGHTLY else usual):
        netlist = block_netlist(library, kind, ROWS[kind][1](width), structure)
        assert holds(row_claims(netlist, kind))


OF_ONE_BIT_OR_MORE = pytest.mark.parametrize(
    "structure", [SMALL, SHALLOW, LARGER_RADICES[8]], ids=["one", "two", "three"]
)
"""Rows that give so many bits at once."""


@OF_ONE_BIT_OR_MORE
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ROWS)
def test_faulty_rows_are_not_proved(kind, fault, structure):
    netlist = block_netlist("threshold", kind, ROWS[kind][1](5), structure)
    inputs = all_inputs(netlist)
    if kind == "divide":  # rows are of divisors that are normalised
        inputs = {name: words[inputs["y"] > 15] for name, words in inputs.items()}
    sound = boolean.evaluate(netlist, inputs)
    for mutant, _ in zip(mutants(netlist, fault, seed=7), range(12 if NIGHTLY else 4), strict=False):
        if not mutant.netlist.cells or mutant.netlist.neurons == netlist.neurons:
            continue
        found = boolean.evaluate(mutant.netlist, inputs)
        if not all(np.array_equal(found[bus], sound[bus]) for bus in sound):
            assert not holds(row_claims(mutant.netlist, kind)), mutant.fault


@OF_ONE_BIT_OR_MORE
def test_rows_of_many_shapes_have_a_lemma_each(structure, monkeypatch):
    """Together they say what one lemma says of all; a fault is in that of its row."""
    netlist = block_netlist("threshold", "square_root", {"x": 14}, structure)
    as_one = row_claims(netlist, "square_root")
    monkeypatch.setattr(recurrence, "TOGETHER", 1)
    operands, results = buses(netlist, "square_root")
    free = tuple(free_symbol(f"operand{len(bus)}", len(bus)) for bus in operands)
    site = Site(netlist, operands, results, free)
    each = recurrence.root_claims(site)
    assert And(claim.goal for claim in each.values()) == as_one.goal
    assert [*each] == [f"row {k}" for k in range(1, len(each) + 1)]
    assert all(map(holds, each.values()))

    last_bit = results[0][0]
    faulty = replace(site, netlist=stuck_at_zero(netlist, last_bit).netlist)
    sound = [holds(claim) for claim in recurrence.root_claims(faulty).values()]
    assert sound == [True] * (len(each) - 1) + [False]


@OF_ONE_BIT_OR_MORE
@pytest.mark.parametrize("kind", ROWS)
def test_rows_in_another_order_are_refused(kind, structure):
    netlist = block_netlist("threshold", kind, ROWS[kind][1](4), structure)
    operands, results = buses(netlist, kind)
    algebra, _ = ROWS[kind]
    free = tuple(free_symbol(f"operand{len(bus)}", len(bus)) for bus in operands)
    swapped_bits = (results[0][1], results[0][0], *results[0][2:])
    for changed in (
        {"results": (swapped_bits, results[1])},
        {"results": (results[0], results[1][::-1])},
        {"results": (results[0][1:], results[1])},
        {"operands": tuple(bus[::-1] for bus in operands)},
        {"netlist": replace(netlist, cells=netlist.cells[1:])},
        {"netlist": replace(netlist, cells=netlist.cells[:-1])},
    ):
        given = {"netlist": netlist, "operands": operands, "results": results, **changed}
        with pytest.raises(AlgebraError):
            algebra(Site(**given, free=free))


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_gives_as_many_bits_as_it_takes_places(kind):
    """A bit that is there twice makes a digit of two that no row has; a bit that is left out, of one."""
    netlist = block_netlist("threshold", kind, ROWS[kind][1](4), SHALLOW)
    operands, results = buses(netlist, kind)
    free = tuple(free_symbol(f"operand{len(bus)}", len(bus)) for bus in operands)
    cell = netlist.cells[-1]
    for bits in ((*cell.outputs["bit"], cell.outputs["bit"][-1]), cell.outputs["bit"][1:]):
        changed = replace(cell, outputs={**cell.outputs, "bit": bits})
        faulty = replace(netlist, cells=(*netlist.cells[:-1], changed))
        with pytest.raises(AlgebraError):
            ROWS[kind][0](Site(faulty, operands, results, free))


@pytest.mark.parametrize("kind", ROWS)
def test_a_digit_whose_bits_are_exchanged_is_not_proved(kind):
    netlist = block_netlist("threshold", kind, ROWS[kind][1](4), SHALLOW)
    operands, (found, rest) = buses(netlist, kind)
    free = tuple(free_symbol(f"operand{len(bus)}", len(bus)) for bus in operands)
    cell = netlist.cells[-1]
    exchanged = replace(cell, outputs={**cell.outputs, "bit": cell.outputs["bit"][::-1]})
    faulty = replace(netlist, cells=(*netlist.cells[:-1], exchanged))
    results = ((found[1], found[0], *found[2:]), rest)
    assert not holds(together(ROWS[kind][0](Site(faulty, operands, results, free))))


def test_a_division_needs_the_fact_that_makes_its_first_row_true():
    """Without it the first row's remainder may be twice the divisor, or the divisor zero."""
    netlist = block_netlist("threshold", "divide", {"x": 4, "y": 4})
    operands, results = buses(netlist, "divide")
    free = tuple(free_symbol(name, 4) for name in ("dividend4", "divisor4"))
    normalised = Equals(BVExtract(free[1], 3, 3), BV(1, 1))
    for facts, sound in (((), False), ((normalised,), True)):
        claims = recurrence.quotient_claims(Site(netlist, operands, results, free, facts))
        assert holds(claims["dividend"]) is sound


# --- the kernel ---------------------------------------------------------------------------------


def proved(obligation, **changes):
    return discharge(replace(obligation, engines=("cadical",), **changes))


LEMMAS = {
    "add": ["magnitude, sign", "outputs"],
    "subtract": ["magnitude, sign", "outputs"],
    "multiply": ["x_significand, y_significand", "outputs"],
    "divide": [
        "dividend, divisor",
        "fact about dividend, divisor",
        "quotient, remainder: dividend",
        "quotient, remainder: rows",
        "fact about quotient, remainder",
        "outputs",
    ],
    "square_root": [
        "radicand",
        "fact about radicand",
        "root, remainder: rows",
        "fact about root, remainder",
        "outputs",
    ],
    "fma": ["x_significand, y_significand", "magnitude, sign", "outputs"],
}
ALGEBRA = {"multiply": ["product"], "fma": ["product"]}


def named(result, kind):
    return [lemma.name for lemma in result.lemmas if lemma.kind == kind]


def claims(result):
    """The lemmas that were put to engines."""
    return named(result, "claim")


def by_algebra(result):
    """The lemmas that were not."""
    return named(result, "algebra")


def evidence(result):
    """What was asked and settled, of whatever number of processes."""
    return [(lemma.name, lemma.kind, lemma.formula_sha256, lemma.cnf_sha256) for lemma in result.lemmas]


TINY = ieee_format(3, 2)


def small(operation, **changes):
    """A unit of 6 bits, proved by lemmas though it need not be."""
    unit = Unit(operation, TINY)
    steps, last = STEPS[operation]
    decomposition = Decomposition(unit.spec, steps, last)
    return replace(unit.obligation(), decomposition=replace(decomposition, **changes))


@pytest.mark.parametrize("operation", STEPS)
def test_a_decomposed_proof_names_its_lemmas(operation):
    result = discharge(small(operation))
    assert result.outcome is Outcome.PROVED
    assert result.composed
    assert claims(result) == LEMMAS[operation]
    assert by_algebra(result) == ALGEBRA.get(operation, [])


@pytest.mark.parametrize("operation", STEPS)
def test_a_fault_anywhere_is_caught(operation):
    """In the cores, before and behind them: the lemmas fail, and the claim is refuted by other means.

    Or proved by other means: the first bits of a remainder and of an ``fma``'s sum do not matter.
    """
    obligation = replace(small(operation), engines=("cadical",))
    netlist = obligation.circuit()
    steps, _ = STEPS[operation]
    for name in (*(n for step in steps for n in step.names), "sticky"):
        neurons = [signal for signal in netlist.probes[name] if signal >= netlist.input_count]
        faulty = stuck_at_zero(netlist, neurons[-1]).netlist  # the first bit, in magnitude
        result = discharge(obligation, circuit=faulty)
        benign = (operation, name) in (("square_root", "remainder"), ("fma", "magnitude"))
        assert result.outcome is (Outcome.PROVED if benign else Outcome.REFUTED), name
        assert benign or not result.composed


@pytest.fixture(scope="module")
def shallow_multiplication():
    return replace(Unit("multiply", TINY, structure=SHALLOW).obligation(), engines=("cadical",))


def test_shallow_multiplication_rests_on_the_laws_of_products(shallow_multiplication):
    """It does not look for more leading zeros than a product can have."""
    result = discharge(shallow_multiplication)
    assert result.composed
    assert by_algebra(result) == ["product"]
    decomposition = replace(shallow_multiplication.decomposition, laws=False)
    lawless = discharge(replace(shallow_multiplication, decomposition=decomposition))
    assert lawless.outcome is Outcome.PROVED
    assert not lawless.composed


@pytest.mark.parametrize(
    "structure",
    [SHALLOW, *(LARGER_RADICES.values() if NIGHTLY else [LARGER_RADICES[8]])],
    ids=STRUCTURE_NAMES.get,
)
@pytest.mark.parametrize("operation", ["divide", "square_root"])
def test_faults_in_shallow_rows_are_caught(operation, structure):
    """In each bit of a row, one row or another (at night of every row), and in the result."""
    unit = Unit(operation, TINY, structure=structure)
    obligation = replace(unit.obligation(), engines=("cadical",))
    assert discharge(obligation).composed
    netlist = obligation.circuit()
    bits = [pair for cell in netlist.cells for pair in enumerate(cell.outputs["bit"])]
    of_rows = (signal for _, signal in one_of_each(bits, kind=lambda pair: pair[0]))
    for signal in (*of_rows, netlist.outputs["result"][0]):
        result = discharge(obligation, circuit=stuck_at_zero(netlist, signal).netlist)
        assert result.outcome is Outcome.REFUTED


@pytest.mark.parametrize(
    ("operation", "digits"),
    [("multiply", "product"), ("divide", "quotient"), ("square_root", "root")],
)
def test_faults_in_digits_that_are_searched_are_caught(operation, digits):
    """In two digits, or at night in every one."""
    unit = Unit(operation, TINY, structure=COMPACT)
    obligation = replace(unit.obligation(), engines=("cadical",))
    assert discharge(obligation).composed
    netlist = obligation.circuit()
    for _, signal in one_of_each(enumerate(netlist.probes[digits]), kind=lambda pair: pair[0] % 2):
        result = discharge(obligation, circuit=stuck_at_zero(netlist, signal).netlist)
        assert result.outcome is Outcome.REFUTED


@pytest.mark.parametrize("place", ["steps", "sum", "result"])
def test_a_fault_in_shallow_multiplication_is_caught(shallow_multiplication, place):
    netlist = shallow_multiplication.circuit()
    buses = {
        "steps": next(cell.outputs["1"] for cell in netlist.cells if cell.kind == "count"),
        "sum": netlist.probes["product"][2:],
        "result": netlist.outputs["result"],
    }
    faulty = stuck_at_zero(netlist, buses[place][0]).netlist
    result = discharge(shallow_multiplication, circuit=faulty)
    assert result.outcome is Outcome.REFUTED
    assert not result.composed


def test_a_swapped_block_is_caught():
    """Product bits that are crossed, and operands that are exchanged."""
    netlist = small("multiply").circuit()
    product = netlist.probes["product"]
    crossed = replace(
        netlist, probes={**netlist.probes, "product": (product[1], product[0], *product[2:])}
    )
    assert refused(crossed, "multiply", "left over")
    x, y = netlist.probes["x_significand"], netlist.probes["y_significand"]
    exchanged = replace(netlist, probes={**netlist.probes, "x_significand": y, "y_significand": x})
    result = discharge(small("multiply"), circuit=exchanged)
    assert result.outcome is Outcome.PROVED
    assert result.strategy.annotations  # the lemma on the operands failed; others were found


def refused(netlist, operation, message):
    obligation = small(operation)
    with pytest.raises((AlgebraError, CompositionError), match=message):
        compose(netlist, obligation.decomposition, obligation.state(netlist))
    return True


def test_a_decomposition_of_another_spec_is_no_proof():
    """A circuit that rounds toward zero, a decomposition that says so, and a claim of nearest even."""
    wrong = Unit("multiply", TINY, RoundingMode.TOWARD_ZERO)
    misled = small("multiply", spec=wrong.spec)
    assert discharge(misled, circuit=wrong.circuit()).outcome is Outcome.REFUTED
    with pytest.raises(CompositionError, match="the spec to be composed is not that of the claim"):
        compose(wrong.circuit(), misled.decomposition, misled.state(wrong.circuit()))


def with_lemmas(monkeypatch, **changes):
    """Let the kernel hand out a last lemma with something changed."""

    def changed(netlist, decomposition, claim):
        lemmas = compose(netlist, decomposition, claim)
        return lemmas | {"outputs": replace(lemmas["outputs"], **changes)}

    monkeypatch.setattr(case_module, "compose", changed)


def test_a_true_theorem_whose_lemma_fails_is_proved_whole(monkeypatch):
    with_lemmas(monkeypatch, goal=FALSE())
    result = discharge(small("multiply"))
    assert result.outcome is Outcome.PROVED
    assert not result.composed


def test_a_lemma_with_an_impossible_assumption_is_refused(monkeypatch):
    with_lemmas(monkeypatch, assumptions=(FALSE(),))
    assert not discharge(small("multiply")).composed
    netlist = small("multiply").circuit()
    faulty = stuck_at_zero(netlist, netlist.outputs["result"][1]).netlist
    assert discharge(small("multiply"), circuit=faulty).outcome is Outcome.REFUTED


def test_engines_that_disagree_on_a_lemma_are_an_error(monkeypatch):
    netlist = small("multiply").circuit()
    faulty = stuck_at_zero(netlist, netlist.probes["sticky"][0]).netlist
    liar = Engine(EngineUse("a liar", "1", ""), lambda *_: Answer(Status.UNSATISFIABLE))
    monkeypatch.setitem(ENGINES, "cadical", liar)
    result = discharge(small("multiply"), circuit=faulty)
    assert result.outcome is Outcome.ERROR
    assert "ENGINES DISAGREE" in result.message


def test_no_engine_is_no_proof():
    with pytest.raises(ValueError, match="name at least one engine"):
        replace(small("multiply"), engines=())


def changed_step(operation, index, **changes):
    """The steps of an operation with one of them changed."""
    steps, last = STEPS[operation]
    if index == "last":
        return {"last": replace(last, **changes)}
    return {"steps": (*steps[:index], replace(steps[index], **changes), *steps[index + 1 :])}


@pytest.mark.parametrize(
    ("operation", "changes", "message"),
    [
        ("multiply", changed_step("multiply", 0, given=("product",)), "free before it is proved"),
        ("divide", {"steps": (*STEPS["divide"][0], Step(("divisor",)))}, "by two steps"),
        ("multiply", {"steps": ()}, "product is taken as free before it is proved"),
        ("multiply", changed_step("multiply", 0, names=("x_significand", "sticky")), "no probe sticky"),
        (
            "multiply",
            changed_step("multiply", 0, names=("x_significand", "absent")),
            "no probe 'absent'",
        ),
        ("multiply", changed_step("multiply", 1, given=("x_significand",)), "a product is of 2 probes"),
        ("divide", changed_step("divide", 1, method="product"), "is not a product"),
        ("divide", changed_step("divide", 1, given=("divisor", "dividend")), "is not a quotient"),
        ("multiply", changed_step("multiply", "last", names=("sign",)), "no probe|has no probes"),
        ("divide", changed_step("divide", 0, fact=lambda b: Equals(b["x"], b["x"])), "KeyError|'x'"),
    ],
)
def test_steps_that_do_not_make_up_the_theorem_are_refused(operation, changes, message):
    obligation = small(operation, **changes)
    netlist = obligation.circuit()
    with pytest.raises((CompositionError, KeyError), match=message):
        compose(netlist, obligation.decomposition, obligation.state(netlist))


def test_a_fact_that_does_not_hold_is_not_believed():
    """A lemma that needs too strong a fact fails on that fact, and nothing is proved by lemmas."""
    for fact in (lambda b: FALSE(), lambda b: Equals(b["dividend"], b["divisor"])):
        result = discharge(small("divide", **changed_step("divide", 0, fact=fact)))
        assert result.outcome is Outcome.PROVED
        assert not result.composed


def test_a_fact_that_is_missing_is_missed():
    for operation, index in (("divide", 0), ("divide", 1), ("square_root", 1)):
        result = discharge(small(operation, **changed_step(operation, index, fact=None)))
        assert result.outcome is Outcome.PROVED
        assert not result.composed, (operation, index)


def halves(values):
    """Two cases that cover everything: the signs of x."""
    sign = bit(values["x"], TINY.width - 1)
    return {"positive": Not(sign), "negative": sign}


def test_a_case_split_is_proved_case_by_case():
    result = discharge(small("add", **changed_step("add", "last", cases=halves)))
    assert result.outcome is Outcome.PROVED
    assert claims(result) == [
        "magnitude, sign",
        "outputs, positive",
        "outputs, negative",
        "cases of outputs",
    ]


def test_a_case_split_that_misses_a_case_is_caught():
    """The fault is in the case that is missing."""
    only_positive = changed_step("add", "last", cases=lambda b: {"positive": halves(b)["positive"]})
    assert not discharge(small("add", **only_positive)).composed
    obligation = small("add", **only_positive)
    netlist = obligation.circuit()
    faulty = with_neuron(netlist, netlist.outputs["result"][-1], Neuron((), threshold=1))
    result = discharge(obligation, circuit=faulty)
    assert result.outcome is Outcome.REFUTED


def test_a_case_that_cannot_occur_is_refused():
    def cases(values):
        return {"all": TRUE(), "none": And(*halves(values).values())}

    assert not discharge(small("add", **changed_step("add", "last", cases=cases))).composed


# --- claims about formulas, split into cases ----------------------------------------------------


def with_sign(sign, code):
    """A code with its first bit replaced."""
    return BVConcat(BV(sign, 1), BVExtract(code, 0, 6))


def signs(b):
    """One of the cases is named like a lemma."""
    return {"coverage": {"x": with_sign(0, b["x"])}, "negative": {"x": with_sign(1, b["x"])}}


def of_bytes(goal, cases, *assumptions):
    """An obligation about two bytes."""

    def state(netlist):
        b = {name: Symbol(name, BVType(8)) for name in "xy"}
        return Claim(b, goal(b), tuple(assumption(b) for assumption in assumptions))

    return Obligation("some.claim", "a statement", state, cases=cases)


def below(bound):
    return lambda b: BVULT(b["x"], BV(bound, 8))


def commutes(b):
    return Equals(BVAdd(b["x"], b["y"]), BVAdd(b["y"], b["x"]))


def test_a_claim_is_split_into_cases():
    result = discharge(of_bytes(commutes, signs))
    assert result.outcome is Outcome.PROVED
    assert claims(result) == ["case coverage", "case negative", "coverage"]


@pytest.mark.parametrize(
    "cases",
    [
        lambda b: {},
        lambda b: {"negative": signs(b)["negative"]},
        lambda b: {**signs(b), "negative": {"x": with_sign(1, b["x"]), "y": with_sign(1, b["y"])}},
        lambda b: {"sum": {"x": BVAdd(b["x"], b["y"])}},
        lambda b: {"swapped": {"x": b["y"], "y": b["x"]}},
    ],
    ids=["none", "one missing", "one too narrow", "another number", "swapped"],
)
def test_cases_that_do_not_cover_everything_prove_nothing(cases):
    true = discharge(of_bytes(commutes, cases))
    assert true.outcome is Outcome.PROVED
    assert not true.composed

    def fails_for_3_and_5(b):
        return Not(And(Equals(b["x"], BV(3, 8)), Equals(b["y"], BV(5, 8))))

    assert discharge(of_bytes(fails_for_3_and_5, cases)).counterexample == {"x": 3, "y": 5}


@pytest.mark.parametrize("wrong", [0, 127, 128, 255])
def test_a_fault_in_any_case_is_found(wrong):
    result = discharge(of_bytes(lambda b: NotEquals(b["x"], BV(wrong, 8)), signs))
    assert result.outcome is Outcome.REFUTED
    assert result.counterexample["x"] == wrong


def test_all_inputs_are_replaced_at_once():
    x, y = (Symbol(name, BVType(8)) for name in "xy")
    lemmas = split(Claim({"x": x, "y": y}, BVULT(x, y)), {"swapped": {"x": y, "y": x}})
    assert lemmas["case swapped"].goal == BVULT(y, x)


def test_assumptions_are_about_what_is_put_for_the_inputs():
    assert discharge(of_bytes(below(201), signs, below(200))).composed
    too_weak = discharge(of_bytes(below(199), signs, below(200)))
    assert too_weak.counterexample["x"] == 199
    # No negative number is below 100: as everywhere, a lemma about nothing is not believed.
    assert not discharge(of_bytes(below(201), signs, below(100))).composed


def test_a_value_of_another_width_is_refused():
    result = discharge(of_bytes(below(200), lambda b: {"wide": {"x": BVConcat(b["x"], b["y"])}}))
    assert result.outcome is Outcome.ERROR


# --- specs that cannot be composed --------------------------------------------------------------


def test_a_spec_whose_probe_has_two_values_is_refused():
    def spec(inputs, probe):
        unit = Unit("multiply", TINY)
        probe("product", BV(0, 6))
        return unit.spec(inputs, probe)

    netlist = small("multiply").circuit()
    obligation = small("multiply", spec=spec)
    with pytest.raises(CompositionError, match="two values for probe 'product'"):
        compose(netlist, obligation.decomposition, obligation.state(netlist))


def test_a_spec_that_looks_behind_its_probes_is_refused():
    """With the product free, the result must be a function of it, not of something else."""

    def spec(inputs, probe):
        unit = Unit("multiply", TINY)
        seen = {}

        def peeping(name, value):
            seen[name] = probe(name, value)
            return seen[name]

        result = unit.spec(inputs, peeping)["result"]
        product = seen["product"]
        return {"result": result if not product.is_symbol() else BVXor(result, BV(1, TINY.width))}

    obligation = small("multiply", spec=spec)
    netlist = obligation.circuit()
    with pytest.raises(CompositionError, match="is not composed of the probes given"):
        compose(netlist, obligation.decomposition, obligation.state(netlist))


def test_buses_are_composed_if_each_is_that_of_its_name():
    x, y, free = (Symbol(name, BVType(2)) for name in ("x", "y", "free"))
    filled_in = {free: x}
    assert is_composed({"a": free, "b": y}, filled_in, {"a": x, "b": y})
    assert not is_composed({"a": free, "b": y}, filled_in, {"a": y, "b": x})
    assert not is_composed({"a": free}, filled_in, {"a": x, "b": y})
    assert not is_composed({"a": BVConcat(free, y)}, filled_in, {"a": BVConcat(y, x)})


def test_a_spec_is_run_no_further_than_steps_ask():
    """From the inputs and from the last cuts to its outputs, and between as far as the next cut."""
    unit = Unit("add", TINY, structure=SHALLOW)
    obligation, netlist = unit.obligation(), unit.circuit(keep_waypoints=True)
    whole = obligation.decomposition
    begun, ended = count(), count()

    def spec(inputs, probe):
        next(begun)
        outputs = whole.spec(inputs, probe)
        next(ended)
        return outputs

    compose(netlist, replace(whole, spec=spec), obligation.state(netlist))
    assert next(begun) == len({step.given for step in (*whole.steps, whole.last)}) > 2
    assert next(ended) == 2


@pytest.mark.parametrize("peeps", [True, False])
def test_a_fact_of_what_is_behind_a_probe_is_refused(peeps):
    """It is true where the product is computed, and false, so that all follows, where it is free."""

    def spec(inputs, probe):
        seen = {}
        unit = Unit("multiply", TINY)
        outputs = unit.spec(inputs, lambda name, value: seen.setdefault(name, probe(name, value)))
        probe("known", BV(int(peeps and seen["product"].is_symbol()), 1))
        return outputs

    changed = changed_step("multiply", 1, fact=lambda values: Equals(values["known"], BV(0, 1)))
    obligation = small("multiply", spec=spec, **changed)
    netlist = obligation.circuit()
    with pytest.raises(CompositionError, match="a fact speaks") if peeps else nullcontext():
        compose(netlist, obligation.decomposition, obligation.state(netlist))


@pytest.mark.parametrize("peeps", [True, False])
def test_a_law_of_what_is_behind_a_probe_is_refused(peeps):
    """Laws of a quotient are of the dividend, which is not free where the quotient is: the last time."""
    times = count()

    def spec(inputs, probe):
        lies = next(times) == 2 and peeps

        def peeping(name, value):
            taken = probe(name, BVNot(value) if name == "dividend" and lies else value)
            return value if name == "dividend" and lies else taken

        return Unit("divide", TINY).spec(inputs, peeping)

    obligation = small("divide", spec=spec, laws=True, **changed_step("divide", 1, fact=None))
    netlist = obligation.circuit()
    with pytest.raises(CompositionError, match="a law is of") if peeps else nullcontext():
        compose(netlist, obligation.decomposition, obligation.state(netlist))
    assert next(times) == 3


def test_a_claim_that_is_no_equality_is_refused():
    obligation = Unit("multiply", FP16).obligation()
    netlist = obligation.circuit()
    claim = obligation.state(netlist)
    for changes in ({"goal": TRUE()}, {"expected": {}}):
        with pytest.raises(CompositionError, match="not that outputs equal their spec"):
            compose(netlist, obligation.decomposition, replace(claim, **changes))
    other = obligation.state(build_unit("multiply", FP16, RNE, IEEE, "nexus"))
    with pytest.raises(CompositionError, match="about another circuit"):
        compose(netlist, obligation.decomposition, other)


def test_what_counts_of_the_outputs_is_that_of_the_claim():
    """A claim about all of the outputs is no claim about a part of them, nor the reverse."""
    obligation = Unit("multiply", FP16).obligation()
    netlist = obligation.circuit()
    claim = obligation.state(netlist)
    part = replace(claim, counting=counted(sign_alone, claim.inputs, claim.actual))
    with pytest.raises(CompositionError, match="not that outputs equal their spec"):
        compose(netlist, obligation.decomposition, part)
    part = replace(part, goal=seen_alike(part, part.actual, part.expected))
    whole = compose(netlist, obligation.decomposition, claim)
    lemmas = compose(netlist, obligation.decomposition, part)
    changed = {name for name in whole if lemmas[name].goal != whole[name].goal}
    assert changed == {"outputs"}


def sign_alone(inputs, outputs):
    return {name: BVExtract(bus, 15, 15) for name, bus in outputs.items()}


def test_an_observation_does_not_see_what_it_is_put_to():
    """One that looks for free values, or for the circuit, sees symbols alone."""
    obligation = Unit("multiply", FP16).obligation()
    claim = obligation.state(obligation.circuit())
    met = []

    def observed(inputs, outputs):
        met.extend(outputs.values())
        return outputs

    counting = counted(observed, claim.inputs, claim.actual)
    assert replace(claim, counting=counting).seen(claim.actual) == dict(claim.actual)
    assert [bus.symbol_name() for bus in met] == ["observed.result"]
    for blind in (lambda inputs, outputs: {}, lambda inputs, outputs: {"result": inputs["x"]}):
        with pytest.raises(StatementError, match="nothing counts of output 'result'"):
            counted(blind, claim.inputs, claim.actual)
    with pytest.raises(StatementError, match="an input is named observed"):
        counted(observed, {"observed.result": met[0]}, claim.actual)


def test_what_counts_is_asked_once():
    """Found in review: an observation that changes its mind proved that NOT x is x."""
    builder = NetlistBuilder()
    (x,) = builder.input("x", 1)
    inverter = builder.build({"out": (builder.neuron([(x, -1)], 0),)})
    answers = cycle([lambda bus: bus, BVNot])
    fickle = equivalence(
        "fickle",
        "NOT x is x",
        lambda: inverter,
        lambda x: {"out": x},
        observed=lambda inputs, outputs: {"out": next(answers)(outputs["out"])},
    )
    assert discharge(fickle).outcome is Outcome.REFUTED


def test_a_probe_that_nothing_reads_is_refused():
    netlist = small("multiply").circuit()
    product = (*netlist.probes["product"][:-1], UNUSED)
    assert refused(
        replace(netlist, probes={**netlist.probes, "product": product}), "multiply", "bits that nothing"
    )


def test_bits_of_one_signal_are_one_when_free():
    """The root and remainder of FP16 share signals: were that forgotten, their lemma would be false."""
    obligation = Unit("square_root", FP16).obligation()
    netlist = obligation.circuit()
    lemma = compose(netlist, obligation.decomposition, obligation.state(netlist))["outputs"]
    *wiring, fact = lemma.assumptions
    assert wiring
    assert holds(lemma)
    assert not holds(replace(lemma, assumptions=(fact,)))


@pytest.mark.parametrize("operation", ["divide", "fma"] if NIGHTLY else ["divide"])
def test_lemmas_side_by_side_come_to_the_same(operation):
    obligation = small(operation)
    alone, together = (discharge(obligation, jobs=jobs) for jobs in (1, 3))
    assert alone.outcome is together.outcome is Outcome.PROVED
    assert evidence(alone) == evidence(together)
    netlist = obligation.circuit()
    faulty = stuck_at_zero(netlist, netlist.probes["sticky"][0]).netlist
    result = discharge(obligation, circuit=faulty, jobs=3)
    assert result.outcome is Outcome.REFUTED
    assert not result.composed


def test_lemmas_side_by_side_keep_to_the_timeout():
    obligation = replace(Unit("fma", FP16).obligation(), engines=("z3", "cadical"))
    result = discharge(obligation, timeout=0.5, jobs=3)
    assert result.outcome is Outcome.TIMEOUT
    assert "is not proved" in result.message


@pytest.mark.parametrize("operation", ["add", "multiply", "divide", "square_root", "fma"])
@pytest.mark.parametrize("fmt", [BFLOAT16, FP16] if NIGHTLY else [ieee_format(5, 4)], ids=parameter_id)
def test_wide_units_with_a_fault_are_refuted(fmt, operation):
    obligation = Unit(operation, fmt).obligation()
    netlist = obligation.circuit()
    for probe in ("guard", "sign") if operation != "square_root" else ("guard", "sticky"):
        faulty = stuck_at_zero(netlist, netlist.probes[probe][-1]).netlist
        result = proved(replace(obligation, circuit=lambda faulty=faulty: faulty))
        assert result.outcome is Outcome.REFUTED, probe
