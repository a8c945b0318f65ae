"""Claims that were given with a circuit, from files that nobody wrote."""

import json

import pytest

from spikeproof.circuits.netlist import NetlistError
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.given import GivenClaim, read_claim
from spikeproof.prover.claims.obligation import StatementError

SOUND = "(declare-fun x () (_ BitVec 2))\n(define-fun .y () (_ BitVec 2) (bvadd x #b01))\n"


def stated(formula: object, path):
    """What comes of a claim with this formula."""
    data = json.loads(GivenClaim("mine", {"x": 2}, {"y": 2}, formula=SOUND).content)
    path.write_text(json.dumps({**data, "formula": formula}))
    obligation = read_claim(path).obligation()
    with passing_formulas():
        return obligation.state(obligation.circuit())


def test_a_formula_is_read(tmp_path):
    assert stated(SOUND, tmp_path / "claim.json").expected.keys() == {"y"}


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (3, "it is damaged: its formula is not text"),
        ("", "mine: the formula cannot be read: an output is missing"),
        (SOUND[:-3], "mine: the formula cannot be read: "),
        # Found by the fuzz: pySMT takes what it does not know for text, and raises anything.
        (SOUND.replace("declare-fun x", "declare-fun \u00b2"), "mine: the formula cannot be read: "),
        (SOUND.replace("bvadd x", "bvadd #b1"), "mine: the formula cannot be read: "),
        (SOUND.replace("fun x", "fun z").replace(" x", " z"), "has symbols that are no inputs: z"),
    ],
)
def test_a_formula_that_is_none_is_refused(tmp_path, formula, words):
    with pytest.raises((NetlistError, StatementError), match=words):
        stated(formula, tmp_path / "claim.json")


@pytest.mark.parametrize("formats", [{"y": "fp8_e5m2"}, {"z": "fp8_e5m2"}, {"x": "int32"}])
def test_a_format_of_another_width_is_refused(formats):
    """Found by the fuzz."""
    with pytest.raises(StatementError, match="but no bus of its width"):
        GivenClaim("mine", {"x": 2}, {"y": 2}, formula=SOUND, formats=formats)
