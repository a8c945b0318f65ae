"""Decomposed proofs: sound lemmas compose, and each way to cheat is caught."""

from dataclasses import replace

import pytest
from pysmt.shortcuts import BV, BVAdd, BVExtract, BVMul, BVType, BVZExt, Symbol

from circuits.floating_point import build_unit
from circuits.integer import block_netlist
from circuits.libraries import LIBRARIES
from circuits.netlist import ZERO, Neuron
from proofs.units import Unit, product_cut
from prover import discharge as discharge_module
from prover import telescoping
from prover.composition import CompositionError, compose
from prover.discharge import discharge
from prover.engine import ENGINES, Answer, Engine, Status
from prover.mutation import FAULTS, mutants, stuck_at_zero, with_neuron
from prover.obligation import Outcome, equivalence
from prover.telescoping import Log, TelescopingError
from specs import symbolic
from specs.formats import (
    BFLOAT16,
    FORMATS,
    FP8_E4M3FN,
    FP16,
    FP64,
    OverflowPolicy,
    RoundingMode,
)

RNE, IEEE, SATURATE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE, OverflowPolicy.SATURATE


def multiplier(fmt, library="threshold", policy=IEEE):
    return build_unit("multiply", fmt, RNE, policy, library)


def block_of(netlist):
    return netlist.blocks[0]


# --- products by telescoping --------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("width", [1, 2, 3, 8, 24, 53])
def test_products_of_any_width_telescope(library, width):
    netlist = block_netlist(library, "multiply", {"x": width, "y": width})
    telescoping.check(netlist, block_of(netlist), telescoping.derive(netlist, block_of(netlist)))


def test_products_of_unequal_widths_telescope():
    netlist = block_netlist("nexus", "multiply", {"x": 5, "y": 3})
    telescoping.check(netlist, block_of(netlist), telescoping.derive(netlist, block_of(netlist)))


@pytest.mark.parametrize("kind", FAULTS)
def test_faulty_multipliers_do_not_telescope(kind):
    netlist = block_netlist("threshold", "multiply", {"x": 6, "y": 6})
    for mutant, _ in zip(mutants(netlist, kind, seed=7), range(40), strict=False):
        if not mutant.netlist.cells:
            continue  # a wire across a cell's boundary: the cells are gone, and nothing to add up
        block = block_of(mutant.netlist)
        with pytest.raises(TelescopingError):
            telescoping.check(mutant.netlist, block, telescoping.derive(mutant.netlist, block))


def test_a_tampered_log_is_refused():
    netlist = block_netlist("ionic", "multiply", {"x": 4, "y": 4})
    block = block_of(netlist)
    log = telescoping.derive(netlist, block)
    (first, weight), *others = log.weights
    for tampered in (
        others,
        [(first, weight + 1), *others],
        [(first, weight), (first, weight), *others],
        [(first - 1, weight), *others],
    ):
        with pytest.raises(TelescopingError):
            telescoping.check(netlist, block, Log(tuple(tampered)))


def test_a_block_whose_outputs_are_crossed_is_refused():
    netlist = block_netlist("threshold", "multiply", {"x": 4, "y": 4})
    block = block_of(netlist)
    low, second, *high = block.outputs["product"]
    crossed = replace(block, outputs={"product": (second, low, *high)})
    with pytest.raises(TelescopingError):
        telescoping.check(netlist, crossed, telescoping.derive(netlist, crossed))
    square = replace(block, inputs={"x": block.inputs["x"], "y": block.inputs["x"]})
    with pytest.raises(TelescopingError):
        telescoping.check(netlist, square, telescoping.derive(netlist, square))


def fp16_with(cell_change):
    """An FP16 multiplier in which one inner adder cell and the netlist are changed together."""
    netlist = multiplier(FP16)
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


@pytest.mark.parametrize("change", [crossed_sum_and_carry, hidden_input, wide_output])
def test_cells_that_are_not_what_they_say_do_not_telescope(change):
    """Found in review: cells come with the circuit, and nothing in them is to be believed."""
    netlist = fp16_with(change)
    block = block_of(netlist)
    sound = telescoping.derive(multiplier(FP16), block_of(multiplier(FP16)))
    with pytest.raises(TelescopingError):
        telescoping.check(netlist, block, sound)
    with pytest.raises(TelescopingError):
        telescoping.check(netlist, block, telescoping.derive(netlist, block))


# --- the kernel ---------------------------------------------------------------------------------


def proved(obligation, **changes):
    return discharge(replace(obligation, engines=("cadical",), **changes))


def test_a_decomposed_proof_names_its_lemmas():
    result = proved(Unit("multiply", BFLOAT16, RNE, IEEE).obligation())
    assert result.outcome is Outcome.PROVED
    assert list(result.lemmas) == ["block by algebra", "operands by cadical", "rest by cadical"]


@pytest.mark.parametrize("mode", RoundingMode)
def test_fp16_multiply_in_every_mode(mode):
    assert proved(Unit("multiply", FP16, mode, IEEE).obligation()).lemmas is not None


def small_obligation():
    """A small multiplier, proved by lemmas though it need not be."""
    obligation = Unit("multiply", FP8_E4M3FN, RNE, SATURATE).obligation()
    return replace(obligation, cut=product_cut(FP8_E4M3FN, RNE, SATURATE))


def refuted_by_falling_back(netlist):
    """The lemmas fail, and the whole claim is put to the engines: a genuine counterexample."""
    assert discharge(small_obligation()).lemmas is not None
    result = discharge(small_obligation(), circuit=netlist)
    return result.outcome is Outcome.REFUTED and result.lemmas is None


def test_a_wrong_block_is_caught():
    netlist = small_obligation().circuit()
    assert refuted_by_falling_back(stuck_at_zero(netlist, netlist.probes["product"][3]).netlist)


def test_a_wrong_rest_is_caught():
    netlist = small_obligation().circuit()
    assert refuted_by_falling_back(stuck_at_zero(netlist, netlist.probes["sticky"][0]).netlist)


def test_wrong_operands_are_caught():
    netlist = small_obligation().circuit()
    hidden_bit = netlist.probes["x_significand"][-1]
    assert refuted_by_falling_back(with_neuron(netlist, hidden_bit, Neuron((), threshold=0)))


def test_a_cut_for_another_theorem_is_no_proof():
    """A circuit that rounds toward zero, a cut that says so, and a claim of nearest even."""
    toward_zero = RoundingMode.TOWARD_ZERO
    wrong = build_unit("multiply", FP8_E4M3FN, toward_zero, SATURATE)
    misled = replace(small_obligation(), cut=product_cut(FP8_E4M3FN, toward_zero, SATURATE))
    assert discharge(misled, circuit=wrong).outcome is Outcome.REFUTED


def with_lemmas(monkeypatch, **changes):
    """Let the kernel hand out lemmas with something changed."""

    def changed(netlist, cut, claim):
        lemmas = compose(netlist, cut, claim)
        return replace(lemmas, rest=replace(lemmas.rest, **changes))

    monkeypatch.setattr(discharge_module, "compose", changed)


def test_a_true_theorem_whose_lemma_fails_is_proved_whole(monkeypatch):
    with_lemmas(monkeypatch, goal=symbolic.FALSE())
    result = discharge(small_obligation())
    assert result.outcome is Outcome.PROVED
    assert result.lemmas is None


def test_a_lemma_with_an_assumption_that_nothing_proves_is_refused(monkeypatch):
    with_lemmas(monkeypatch, assumptions=(symbolic.FALSE(),))
    assert discharge(small_obligation()).lemmas is None
    netlist = small_obligation().circuit()
    faulty = stuck_at_zero(netlist, netlist.outputs["result"][1]).netlist
    assert discharge(small_obligation(), circuit=faulty).outcome is Outcome.REFUTED


def test_engines_that_disagree_on_a_lemma_are_an_error(monkeypatch):
    netlist = small_obligation().circuit()
    faulty = stuck_at_zero(netlist, netlist.probes["sticky"][0]).netlist
    liar = Engine("a liar", lambda *_: Answer(Status.UNSATISFIABLE))
    monkeypatch.setitem(ENGINES, "cadical", liar)
    result = discharge(small_obligation(), circuit=faulty)
    assert result.outcome is Outcome.ERROR
    assert "ENGINES DISAGREE" in result.message


def test_no_engine_is_no_proof():
    with pytest.raises(ValueError, match="name at least one engine"):
        replace(small_obligation(), engines=())


def compose_fp16(netlist, cut, **changes):
    """The lemmas of the FP16 multiplier's claim, for a given netlist and cut."""
    claim = Unit("multiply", FP16, RNE, IEEE).obligation().state(netlist)
    return compose(netlist, cut, replace(claim, **changes))


def cut_with(**changes):
    return replace(product_cut(FP16, RNE, IEEE), **changes)


def another_product(inputs, block):
    """A rest that is not what the spec is composed of: it drops the product's last bit."""
    product = block["product"]
    width = product.bv_width()
    halved = BVMul(BVZExt(BVExtract(product, 1, width - 1), 1), BV(2, width))
    x, y = inputs["x"], inputs["y"]
    return {"result": symbolic.multiply_given_product(FP16, RNE, IEEE, x, y, halved)}


def shifted_operands(inputs):
    """Operands that the spec does not multiply."""
    own = product_cut(FP16, RNE, IEEE).operands(inputs)
    return {name: BVAdd(bus, BV(1, bus.bv_width())) for name, bus in own.items()}


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (cut_with(block="absent"), "the netlist has 0 blocks named 'absent'"),
        (cut_with(block="normalise"), "is of kind 'normalise'; only products are cut"),
        (cut_with(rest=another_product), "the spec is not composed of a multiply as the cut says"),
        (cut_with(operands=shifted_operands), "the spec is not composed"),
        (cut_with(operands=lambda b: {"x": b["x"]}), "has inputs of other names or widths"),
        (cut_with(operands=lambda b: {"x": b["x"], "y": b["y"]}), "other names or widths"),
    ],
)
def test_cuts_that_do_not_make_up_the_theorem_are_refused(cut, message):
    with pytest.raises(CompositionError, match=message):
        compose_fp16(multiplier(FP16), cut)


def test_a_claim_that_is_no_equality_on_all_inputs_is_refused():
    netlist = multiplier(FP16)
    for changes in ({"assumptions": (symbolic.TRUE(),)}, {"goal": symbolic.TRUE()}, {"expected": {}}):
        with pytest.raises(CompositionError, match="not that outputs equal their spec"):
            compose_fp16(netlist, product_cut(FP16, RNE, IEEE), **changes)
    other = Unit("multiply", FP16, RNE, IEEE).obligation().state(multiplier(FP16, "nexus"))
    with pytest.raises(CompositionError, match="about another circuit"):
        compose(netlist, product_cut(FP16, RNE, IEEE), other)


def test_a_block_output_that_is_constant_or_shared_is_not_cut():
    netlist = multiplier(FP16)
    block = block_of(netlist)
    first, *others = block.outputs["product"]
    for outputs in ((-2, *others), (first, first, *others[1:])):
        changed = replace(block, outputs={"product": outputs})
        with pytest.raises(CompositionError, match="constant, unused or the same"):
            compose_fp16(
                replace(netlist, blocks=(changed, *netlist.blocks[1:])), product_cut(FP16, RNE, IEEE)
            )


def test_a_block_with_other_buses_is_not_cut():
    netlist = multiplier(FP16)
    block = block_of(netlist)
    for changes in (
        {"outputs": {"out": block.outputs["product"]}},
        {"inputs": {"a": block.inputs["x"], "b": block.inputs["y"]}},
    ):
        blocks = (replace(block, **changes), *netlist.blocks[1:])
        with pytest.raises(CompositionError, match="other buses than a multiplier"):
            compose_fp16(replace(netlist, blocks=blocks), product_cut(FP16, RNE, IEEE))


def test_a_free_product_must_not_share_its_name_with_an_input():
    renamed = replace(multiplier(FP16), inputs={"significand_product.product": 22, "y": 10})
    claim = equivalence("n", "s", lambda: renamed, lambda b: {"result": b["y"]}).state
    same_width = replace(renamed, outputs={"result": renamed.outputs["result"][:10]})
    with pytest.raises(CompositionError, match="an input has the name of an output"):
        compose(same_width, product_cut(FP16, RNE, IEEE), claim(same_width))


def test_the_spec_given_the_true_product_is_the_spec():
    """To the letter, for every format: what the kernel's check rests on."""
    for fmt in FORMATS.values():
        if fmt is FP64:
            continue
        x, y = (Symbol(f"{n}{fmt.width}", BVType(fmt.width)) for n in ("x", "y"))
        policy = fmt.policies[0]
        size = 2 * fmt.precision
        factors = (BVZExt(symbolic.unpack(fmt, c).significand, size - fmt.precision) for c in (x, y))
        whole = symbolic.multiply(fmt, RNE, policy, x, y)
        assert whole is symbolic.multiply_given_product(fmt, RNE, policy, x, y, BVMul(*factors))


def test_wide_multipliers_with_a_fault_are_refuted():
    for fmt in (FP16, BFLOAT16):
        obligation = Unit("multiply", fmt, RNE, IEEE).obligation()
        netlist = obligation.circuit()
        for probe in ("product", "guard", "sign"):
            faulty = stuck_at_zero(netlist, netlist.probes[probe][-1]).netlist
            result = proved(replace(obligation, circuit=lambda faulty=faulty: faulty))
            assert result.outcome is Outcome.REFUTED, probe
