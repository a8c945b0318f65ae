"""What the catalogue says of each obligation, as data."""

from collections import Counter

from spikeproof.circuits.physics.substrates import SUBSTRATES
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, EVERY_LIBRARY, STRUCTURE_NAMES
from spikeproof.proofs import exact_units, general_operations, integer_conversions, units
from spikeproof.proofs.exact_units import EXACT_OPERATIONS
from spikeproof.proofs.general_operations import WORDS as GENERAL_OPERATIONS
from spikeproof.proofs.rounded_units import AND, STANDING_FOR_ALL
from spikeproof.proofs.selections import BIT
from spikeproof.proofs.units import OPERATIONS, SINGLE_CHOICES
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Profile
from spikeproof.specs import exact, exact_general
from spikeproof.specs.conventions import BUNDLES, EXTREMA, IEEE, convention_named
from spikeproof.specs.formats import (
    E8M0,
    FORMATS,
    INTEGERS,
    OTHER_FORMATS,
    REMAINDERS,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.functions import FUNCTIONS

FAMILIES = {
    "cell",
    "block",
    "bound",
    "encoder",
    "latch",
    "loop",
    "serial",
    "unit",
    "program",
    "spec",
    "margin",
}

WITHOUT_ROUNDING = {
    *(*exact.RELATIONS, *EXTREMA, *exact.SIGN_OPERATIONS, "class"),
    *(*exact_general.NEIGHBOURS, *exact_general.TOTAL_ORDERS, *exact_general.COMPARISONS),
    *exact_general.PREDICATES,
    *REMAINDERS,
    "select",
}
"""Operations of which neither mode nor policy can be said."""

KNOWN = {
    "family": FAMILIES,
    "format": {
        *FORMATS,
        *OTHER_FORMATS,
        *INTEGERS,
        E8M0.name,
        BIT,
        "e8m13",  # of the sums of FP8 on Ada and Hopper
        *(f"{name}x2" for name in FORMATS),
    },
    "source": {*FORMATS, *INTEGERS, E8M0.name, *(f"{name}x2" for name in FORMATS)},
    "mode": {mode.value for mode in RoundingMode} | {f"stochastic{bits}" for bits in range(1, 25)},
    "policy": {policy.value for policy in OverflowPolicy},
    "library": set(EVERY_LIBRARY),
    "structure": set(STRUCTURE_NAMES.values()),
    "substrate": set(SUBSTRATES),
    "flags": {"yes"},
}
"""The values of parameters that are of a known set."""


def of_family(family):
    return [o.parameters for o in catalogue().values() if o.parameters["family"] == family]


def test_every_obligation_is_of_a_family():
    assert {o.parameters.get("family") for o in catalogue().values()} == FAMILIES


def test_values_are_words_of_a_known_set():
    for obligation in catalogue().values():
        for name, value in obligation.parameters.items():
            assert isinstance(value, str), obligation.name
            of_each = value.split(AND) if name == "source" else [value]
            assert set(of_each) <= KNOWN.get(name, {value}), obligation.name


def test_whatever_can_be_chosen_is_proved_of_something_by_default():
    promised = catalogue().values()

    def said(name, obligations):
        return {o.parameters[name] for o in obligations if name in o.parameters}

    by_default = [o for o in promised if o.profile is Profile.DEFAULT]
    for name in ("family", "library", "structure", "policy", "kind", "flags", "substrate"):
        assert said(name, by_default) == said(name, promised), name
    conventions = (*BUNDLES.values(), *map(convention_named, SINGLE_CHOICES))
    for name, values in {
        "format": {*FORMATS, *OTHER_FORMATS, *INTEGERS, E8M0.name},
        "mode": {mode.value for mode in RoundingMode},
        "convention": {each.name for each in conventions if each != IEEE},
        "operation": {*OPERATIONS, *FUNCTIONS, *EXACT_OPERATIONS, *GENERAL_OPERATIONS, *REMAINDERS},
    }.items():
        assert values <= said(name, by_default), name


def test_what_makes_a_choice_beside_mode_and_policy_is_of_one_format_by_default():
    of_all_formats = (units, exact_units, general_operations, integer_conversions)
    named = {each.name for family in of_all_formats for each in family.obligations()}
    for obligation in map(catalogue().get, named):
        parameters = obligation.parameters
        usual = {"library": DEFAULT_LIBRARY, "structure": "small", "convention": None, "flags": None}
        for choice, value in usual.items():
            if obligation.profile is Profile.DEFAULT and parameters.get(choice, value) != value:
                formats = (parameters["format"], parameters.get("source"))
                assert STANDING_FOR_ALL[choice].name in formats, obligation.name


def test_units_name_format_operation_mode_policy_and_library():
    for parameters in of_family("unit"):
        assert {"format", "operation", "library"} <= set(parameters), parameters
        rounds = {"mode", "policy"} & set(parameters)
        assert rounds == (set() if parameters["operation"] in WITHOUT_ROUNDING else {"mode", "policy"})


def test_programs_name_operation_shape_format_and_mode():
    for parameters in of_family("program"):
        assert "kind" in parameters or {"operation", "shape", "format", "mode"} <= set(parameters)


def test_cells_and_blocks_name_library_and_operation():
    for parameters in of_family("cell"):
        assert {"library", "operation"} <= set(parameters)
    for parameters in of_family("block"):
        assert {"library", "operation", "width", "structure"} <= set(parameters)


def test_specs_name_format_operation_and_kind():
    for parameters in of_family("spec"):
        assert {"operation", "kind"} <= set(parameters)
        assert ("format" in parameters) == (parameters["operation"] != "count_words")
        assert "library" not in parameters


def test_margins_name_library_and_kind():
    for parameters in of_family("margin"):
        assert {"library", "kind"} <= set(parameters)
        assert {"operation", "substrate"} & set(parameters)


def test_no_two_obligations_have_the_same_parameters():
    counts = Counter(tuple(sorted(o.parameters.items())) for o in catalogue().values())
    assert [parameters for parameters, count in counts.items() if count > 1] == []


def test_some_parameters_in_full():
    assert catalogue()["fp8_e5m2.convert_from_fp32.rne"].parameters == {
        "family": "unit",
        "format": "fp8_e5m2",
        "operation": "convert",
        "source": "fp32",
        "mode": "rne",
        "policy": "ieee",
        "library": "threshold",
        "structure": "small",
    }
    assert catalogue()["fp16.add.rne.fast"].parameters["structure"] == "fast"
    assert catalogue()["fp16.add.rne.shallow"].parameters["structure"] == "shallow"
    assert catalogue()["fp16.add.rtz.flags"].parameters["flags"] == "yes"
    name = "fp6_e3m2.sticky_extra_multiply.rne.saturate.without_round_route"
    assert catalogue()[name].parameters["kind"] == "without_round_route"
    assert catalogue()["margin.nexus.wide_or.5.noise.above"].parameters == {
        "family": "margin",
        "library": "nexus",
        "operation": "wide_or",
        "width": "5",
        "kind": "noise.above",
    }
    assert catalogue()["cell.ionic.wide_or.5"].parameters == {
        "family": "cell",
        "library": "ionic",
        "operation": "wide_or",
        "width": "5",
    }


def test_what_any_circuit_must_compute_does_not_say_how_ours_is_made():
    for obligation in catalogue().values():
        family, library = (obligation.parameters.get(key) for key in ("family", "library"))
        if obligation.circuit and family in ("cell", "block", "unit"):
            words = obligation.function.replace(",", "").split()
            assert words, obligation.name
            assert library not in words, obligation.name
            assert "gates" not in words, obligation.name
