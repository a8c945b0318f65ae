"""Claims about programs: which operations they can have, and what they say of one input."""

import pytest

from spikeproof.prover.checking.replays import expected_outputs, replays
from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.claims.programs import ProgramClaim, joined, unit_named
from spikeproof.specs.programs import Arithmetic, Array, apply, module

SUM = Arithmetic("fp8_e5m2")
PAIR = Array("fp8_e5m2", (2,))


def of_pairs(definition, kind="fp8_e5m2"):
    return module("top", dict.fromkeys(("x", "y"), Array(kind, (2,))), definition)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fp32.add", "no theorem says what fp32.add computes"),
        ("fp8_e5m2.add.rne.ieee", "no theorem says"),
        ("fp8_e5m2.add.rne.flags", "not about all operands and their result"),
        ("fp8_e5m2.add.rne.except.subnormal_operand", "not about all operands and their result"),
        ("cell.ionic.and", "not about all operands and their result"),
        ("margin.ionic.and.noise", "not about all operands and their result"),
        ("fp8_e5m2.add.stochastic4", "reads more than its operands"),
        ("fp8_e5m2.add.rne.dual_rail", "reads more than its operands"),
        ("fp8_e5m2.add.rne.any_nan", "allows several results"),
        ("fp8_e5m2.add.rne.wasm_nan", "allows several results"),
        ("fp16.min_num", "allows several results"),
        ("fp16.class", "gives other than one result"),
    ],
)
def test_what_is_no_unit_is_no_operation(name, message):
    with pytest.raises(StatementError, match=message) as error:
        unit_named(name)
    assert name in str(error.value)


def test_comparisons_give_bits():
    assert unit_named("fp8_e5m2.less").kind == "bit"


@pytest.mark.parametrize(
    ("kind", "definition", "message"),
    [
        ("fp8_e4m3fn", SUM.add, "top has fp8_e5m2.add.rne of fp8_e4m3fn, fp8_e4m3fn to fp8_e5m2"),
        ("fp8_e5m2", lambda x, y: apply("fp8_e5m2.add.rne", "fp16", x, y), "to fp16; it is of"),
        ("fp8_e5m2", lambda x, y: apply("fp8_e5m2.add.rne", "fp8_e5m2", x), "of fp8_e5m2 to fp8_e5m2"),
        (
            "fp8_e5m2",
            lambda x, y: x.draft.constant("fp8_e5m2", [0, 256]),
            "a constant that is no fp8_e5m2",
        ),
    ],
)
def test_operations_are_used_as_their_theorems_say(kind, definition, message):
    right, wrong = of_pairs(lambda x, y: x, kind), of_pairs(definition, kind)
    for spec, circuit in ((right, wrong), (wrong, right)):
        with pytest.raises(StatementError, match=message):
            ProgramClaim(spec, circuit)


def test_one_input():
    spec = of_pairs(lambda x, y: {"sum": SUM.add(x, y), "x": x})
    wrong = of_pairs(lambda x, y: {"sum": SUM.subtract(x, y), "x": x})
    one, two, three = 0x3C, 0x40, 0x42
    inputs = {"x": one | two << 8, "y": one << 8}
    claim = ProgramClaim(spec, wrong)
    assert claim.outputs == {"sum": 16, "x": 16}
    assert expected_outputs(claim, inputs) == {"sum": one | three << 8, "x": one | two << 8}
    assert replays(None, claim, inputs)
    assert not replays(None, claim, {**inputs, "y": 0})
    assert not replays(None, ProgramClaim(spec, spec), inputs)
    assert [joined(each, 8) for each in claim.codes(inputs)] == [*inputs.values()]


def test_a_program_has_no_formula():
    same = of_pairs(SUM.add)
    with pytest.raises(StatementError, match="no formula"):
        ProgramClaim(same, same).negation  # noqa: B018
