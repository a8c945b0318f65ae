"""Proofs can fail: units with a deliberate fault are refuted, by the engine and by enumeration."""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import EVERY_LIBRARY, LIBRARIES, gate_netlist
from spikeproof.proofs.units import OPERATIONS, Unit, shallow_units
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome, Profile
from spikeproof.prover.refutation.comparison import SIDES, Comparison, column
from spikeproof.prover.refutation.drawing import every_input, inputs_by_class, many_codes
from spikeproof.prover.refutation.mutation import FAULTS, mutants, stuck_at_zero, with_neuron
from spikeproof.prover.refutation.rails import completed, free_widths
from spikeproof.prover.running import discharge as discharge_module
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import (
    ARITY,
    BFLOAT16,
    FLAGS,
    FORMATS,
    FP8_E4M3FN,
    FP16,
    SMALL_FORMATS,
    RoundingMode,
    format_named,
)
from tests.support.faults import some_kinds, some_kinds_for
from tests.support.operands import expected_results, operands
from tests.support.profile import NIGHTLY, one_of_each, parameter_id

MODE = RoundingMode.NEAREST_EVEN
SEED = 20261122


pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

UNIT_CASES = one_of_each(
    [(f, operation, policy) for f in SMALL_FORMATS for operation in OPERATIONS for policy in f.policies],
    kind=lambda case: (case[0].width < 8, case[1]),
)


def first_faulty(netlist, is_faulty, kind):
    """The first mutant of a kind that enumeration tells from the sound circuit."""
    return next(mutant for mutant in mutants(netlist, kind, SEED) if is_faulty(mutant.netlist))


@pytest.mark.parametrize(("fmt", "operation", "policy"), UNIT_CASES, ids=parameter_id)
def test_faulty_units_are_refuted(fmt, operation, policy):
    obligation = Unit(operation, fmt, MODE, policy).obligation()
    netlist = obligation.circuit()
    given = operands(fmt, operation)
    expected = expected_results(fmt, operation, MODE, policy)

    def is_faulty(mutant):
        return not np.array_equal(boolean.evaluate(mutant, given)["result"], expected)

    place = SMALL_FORMATS.index(fmt), OPERATIONS.index(operation), fmt.policies.index(policy)
    kinds = some_kinds(*place)
    faulty = [first_faulty(netlist, is_faulty, kind) for kind in (kinds if NIGHTLY else kinds[:1])]
    (sticky,) = netlist.probes["sticky"]
    faulty.append(stuck_at_zero(netlist, sticky))
    for number, mutant in enumerate(faulty):
        # One is put to both engines: narrow by default, and no multiply-add, for which z3 takes long.
        both = number == 0 and (NIGHTLY or (operation != "fma" and fmt.width < 8))
        put = replace(obligation, engines=obligation.engines if both else ("cadical",))
        # FP4 is too narrow for its sticky bit to decide a product: the engine must see that too.
        wanted = Outcome.REFUTED if is_faulty(mutant.netlist) else Outcome.PROVED
        result = discharge(put, circuit=mutant.netlist)
        assert result.outcome is wanted, f"{mutant.fault}: {result.message}"
        if wanted is Outcome.PROVED:
            assert fmt.name == "fp4_e2m1"
            assert operation == "multiply"


@pytest.mark.parametrize("kind", FAULTS)
def test_engine_and_enumeration_agree_on_every_mutant(kind):
    """Benign mutants are proved, the others refuted, with no exception in a fixed sample."""
    count = 18 if NIGHTLY else 1
    fmt, policy = SMALL_FORMATS[-1], SMALL_FORMATS[-1].policies[0]
    for operation in OPERATIONS:
        given = operands(fmt, operation)
        obligation = Unit(operation, fmt, MODE, policy).obligation()
        expected = expected_results(fmt, operation, MODE, policy)
        for mutant, _ in zip(mutants(obligation.circuit(), kind, SEED), range(count), strict=False):
            right = np.array_equal(boolean.evaluate(mutant.netlist, given)["result"], expected)
            outcome = discharge(obligation, circuit=mutant.netlist).outcome
            assert outcome is (Outcome.PROVED if right else Outcome.REFUTED), mutant.fault


AT_ONCE = discharge_module._at_once
"""Before ``conftest.engines_decide`` puts another in its place."""

WIRES_ALONE = "cell.dual_rail.not"
"""It has no neuron to be faulty; ``tests.proofs.test_dual_rail`` exchanges rails."""

BLOCKS_OF_ONE_RAIL = tuple(f"block.{library}." for library in LIBRARIES)

CELLS_AND_BLOCKS = one_of_each(
    [
        name
        for name in catalogue()
        # Of blocks on two rails each fault is one in its cells, and takes several times as long.
        if name.startswith(("cell.", "block.") if NIGHTLY else ("cell.", *BLOCKS_OF_ONE_RAIL))
        and name != WIRES_ALONE
    ],
    # "cell.LIBRARY.OPERATION"; "block.LIBRARY.OPERATION.WIDTH" and perhaps a structure, of any library.
    kind=lambda name: (
        name if name.startswith("cell.") else (*name.split(".")[2:3], *name.split(".")[4:])
    ),
)


@pytest.mark.parametrize("name", CELLS_AND_BLOCKS)
def test_faulty_cells_and_blocks_are_refuted(name):
    obligation = replace(catalogue()[name], engines=("cadical",))
    netlist = obligation.circuit()
    claim = obligation.state(netlist)
    widths = free_widths(claim)
    if sum(widths.values()) <= 12:
        inputs = every_input(widths)
    else:
        rng = np.random.default_rng(SEED)
        inputs = {n: rng.integers(1 << w, size=4096, dtype=np.uint64) for n, w in widths.items()}
    inputs = completed(claim, inputs)
    kind = obligation.name.split(".")[2]
    if kind in ("normalise", "leading_zeros"):
        inputs = {n: words[inputs["x"] > 0] for n, words in inputs.items()}
    if kind == "divide":
        normalised = inputs["y"] >> np.uint64(netlist.inputs["y"] - 1) > 0
        inputs = {n: words[normalised] for n, words in inputs.items()}
    sound = boolean.evaluate(netlist, inputs)

    def is_faulty(mutant):
        outputs = boolean.evaluate(mutant, inputs)
        return any(not np.array_equal(outputs[bus], sound[bus]) for bus in sound)

    turn = CELLS_AND_BLOCKS.index(name) % 2
    for kind in ("threshold", "weight") if NIGHTLY else (("threshold", "weight")[turn],):
        mutant = first_faulty(netlist, is_faulty, kind)
        assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault


ABOVE_8_BITS = [
    (fmt, operation, kind)
    for fmt, operation, kind in product(FORMATS.values(), OPERATIONS, FAULTS)
    # One kind of fault each for the widest, whose lemmas take longer.
    if fmt not in SMALL_FORMATS
    and kind in some_kinds(fmt.width, OPERATIONS.index(operation))[: 3 if fmt.width <= 16 else 1]
]


SOME_ABOVE_8_BITS = one_of_each(
    # Every operation in some format of up to 19 bits, and a sum of FP64: they are cut alike.
    [
        (fmt, operation, kind)
        for fmt, operation, kind in ABOVE_8_BITS
        if NIGHTLY or fmt.width in (16, 19) or (fmt.width, operation) == (64, "add")
    ],
    kind=lambda case: case[0] if case[0] is FORMATS["fp64"] else case[1],
)


@pytest.mark.parametrize(("fmt", "operation", "kind"), SOME_ABOVE_8_BITS, ids=parameter_id)
def test_faulty_wide_units_are_refuted(fmt, operation, kind, monkeypatch):
    """A lemma fails, and a counterexample to the theorem itself is found.

    No engine decides a whole FP64 divider of which rows are broken: FP64 is run on inputs first.
    """
    if fmt is FORMATS["fp64"]:
        monkeypatch.setattr(discharge_module, "_at_once", AT_ONCE)
    obligation = replace(Unit(operation, fmt).obligation(), engines=("cadical",))
    netlist = obligation.circuit()
    inputs = dict(zip(netlist.inputs, many_codes(fmt, 2048, SEED, ARITY[operation]), strict=True))
    sound = boolean.evaluate(netlist, inputs)["result"]

    def is_faulty(mutant):
        return not np.array_equal(boolean.evaluate(mutant, inputs)["result"], sound)

    mutant = first_faulty(netlist, is_faulty, kind)
    result = discharge(obligation, circuit=mutant.netlist)
    assert result.outcome is Outcome.REFUTED, f"{mutant.fault}: {result.message}"


SHALLOW_OF_16_BITS = [unit for unit in shallow_units() if unit.fmt in (FP16, BFLOAT16)]

SOME_SHALLOW = one_of_each(
    # FP16's have faults at their cuts besides: tests.proofs.test_shallow_sums, test_shallow_rounding.
    [unit for unit in SHALLOW_OF_16_BITS if NIGHTLY or unit.fmt is BFLOAT16],
    kind=lambda unit: unit.operation,
)


@pytest.mark.parametrize("unit", SOME_SHALLOW, ids=lambda unit: unit.name)
def test_faulty_shallow_units_are_refuted(unit):
    """Any neuron may be faulty, in every mode that is promised."""
    obligation = replace(unit.obligation(), engines=("cadical",))
    netlist = obligation.circuit()
    codes = many_codes(unit.fmt, 2048, SEED, ARITY[unit.operation])
    inputs = dict(zip(netlist.inputs, codes, strict=True))
    sound = boolean.evaluate(netlist, inputs)["result"]

    def is_faulty(mutant):
        return not np.array_equal(boolean.evaluate(mutant, inputs)["result"], sound)

    kinds = some_kinds_for(netlist, SHALLOW_OF_16_BITS.index(unit))
    for kind in kinds if NIGHTLY else kinds[:1]:
        mutant = first_faulty(netlist, is_faulty, kind)
        result = discharge(obligation, circuit=mutant.netlist)
        assert result.outcome is Outcome.REFUTED, f"{mutant.fault}: {result.message}"


OF_FLAGS = [format_named(name) for name in ("e3m2fn", "e3m2")]
"""With NaN and without infinities, and with both; they raise the flags that E4M3FN and FP16 do."""


@pytest.mark.parametrize(
    ("fmt", "operation"),
    [
        (fmt, operation)
        for fmt in (*OF_FLAGS, *[FP8_E4M3FN, FP16] * NIGHTLY)
        for operation in OPERATIONS
        if NIGHTLY or OPERATIONS.index(operation) % 2 == OF_FLAGS.index(fmt)
    ],
    ids=parameter_id,
)
def test_faulty_flags_are_refuted(fmt, operation):
    """Each flag that the operation can raise, stuck at 0; by night in every format, and in wide ones."""
    unit = Unit(operation, fmt, policy=fmt.policies[0], flags=True)
    obligation = replace(unit.obligation(), engines=("cadical",))
    netlist = obligation.circuit()
    codes = many_codes(fmt, 2048, SEED, ARITY[operation])
    outputs = boolean.evaluate(netlist, dict(zip(netlist.inputs, codes, strict=True)))
    for index, name in enumerate(FLAGS):
        raised = outputs["flags"] >> np.uint64(index) & np.uint64(1)
        signal = netlist.outputs["flags"][index]
        if not raised.any():
            continue  # square roots never overflow
        result = discharge(obligation, circuit=stuck_at_zero(netlist, signal).netlist)
        assert result.outcome is Outcome.REFUTED, name


ABOUT_NAN = ("unordered", "ordered")
WITHOUT_SYNAPSES = ("absolute", "copy_sign", *ABOUT_NAN)
"""Units that are wires alone, or, where there is no NaN, a constant: nothing to be faulty."""


def is_sampled(name, obligation):
    """The conversions and units that do not round, of four formats."""
    fmt, operation, *variant = name.split(".")
    return (
        fmt in ("fp8_e4m3fn", "fp6_e3m2", "fp16", "fp32")
        and obligation.engines not in ((), ("z3",))  # mutants of functions: tests.proofs.test_functions
        and obligation.profile is Profile.DEFAULT
        and (operation not in WITHOUT_SYNAPSES or (fmt != "fp6_e3m2" and operation in ABOUT_NAN))
        and operation.removeprefix("sticky_extra_") not in OPERATIONS
        and variant in ([], ["rne"])
        and not re.match("convert_from_u?int|mx_|exact_", operation)
    )


OTHER_UNITS = one_of_each(
    [name for name, obligation in catalogue().items() if is_sampled(name, obligation)],
    kind=lambda name: name.split(".")[1],  # each of some format
)


@pytest.mark.parametrize("name", OTHER_UNITS)
def test_faulty_units_of_every_kind_are_refuted(name):
    """A fault that random inputs show is refuted: conversions, comparisons, wide units; by turns."""
    obligation = catalogue()[name]
    netlist = obligation.circuit()
    inputs = inputs_by_class(netlist.inputs, obligation.reading.formats, 2048, SEED)
    sound = boolean.evaluate(netlist, inputs)
    widths = netlist.output_widths
    comparison = Comparison(obligation.state(netlist), widths)

    def is_faulty(mutant):
        outputs = boolean.evaluate(mutant, inputs)
        sides = zip(SIDES, (outputs, sound), strict=True)
        found = {column(side, bus): words for side, each in sides for bus, words in each.items()}
        return comparison.differ({**inputs, **found}).any()

    quick = replace(obligation, engines=("cadical",))
    kinds = some_kinds_for(netlist, OTHER_UNITS.index(name))
    for kind in kinds if NIGHTLY else kinds[:1]:
        mutant = first_faulty(netlist, is_faulty, kind)
        assert discharge(quick, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault


def test_a_fault_beyond_the_first_neuron_is_found_in_every_library():
    """The last neuron of every gate, with its threshold out of reach, never fires."""
    for library, gate in product(EVERY_LIBRARY, ("xor", "mux", "full_adder")):
        netlist = gate_netlist(library, gate)
        last = netlist.signal_count - 1
        neuron = netlist.neurons[-1]
        silent = with_neuron(netlist, last, type(neuron)(neuron.synapses, threshold=99))
        result = discharge(catalogue()[f"cell.{library}.{gate}"], circuit=silent)
        assert result.outcome is Outcome.REFUTED


OTHER_MODES = one_of_each(
    product(SMALL_FORMATS, OPERATIONS, [mode for mode in RoundingMode if mode is not MODE]),
    kind=lambda case: case[1],
)


@pytest.mark.parametrize(("fmt", "operation", "mode"), OTHER_MODES, ids=parameter_id)
def test_a_unit_of_another_mode_is_refuted(fmt, operation, mode):
    """Its own is proved by ``proofs``."""
    policy = fmt.policies[0]
    obligation = replace(Unit(operation, fmt, MODE, policy).obligation(), engines=("z3",))
    outcome = discharge(obligation, circuit=build_unit(operation, fmt, mode, policy)).outcome
    # A square root is never half way between two numbers.
    same = operation == "square_root" and mode is RoundingMode.NEAREST_AWAY
    assert outcome is (Outcome.PROVED if same else Outcome.REFUTED)
