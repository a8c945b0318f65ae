"""Names are known without what they name: listing states nothing, and what is made is what was named."""

import subprocess
import sys
from dataclasses import replace

import pytest

from spikeproof.proofs import margins
from spikeproof.proofs.margins import Gate, kinds, obligations_of, together
from spikeproof.prover.claims.catalogue import CatalogueError, Collection, own
from spikeproof.prover.claims.obligation import Named, Profile

LISTED = """
from pysmt.environment import get_env
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.margins.limits import _limits
assert len(catalogue()) > 10_000
print(list(get_env().formula_manager.symbols), _limits.cache_info().currsize)
"""

THEOREM = "fp16.add.rne"


def test_no_symbol_is_made_and_no_limit_found_by_listing():
    """A record of another theorem was refused once, since a symbol had been made (found by a reader)."""
    ran = subprocess.run([sys.executable, "-c", LISTED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[] 0"


# --- what a name says, and what is made of it -----------------------------------------------------


def named(name=THEOREM, profile=Profile.DEFAULT, asked=None):
    """A theorem under some name and profile; when it is made, ``asked`` is told."""

    def make(_):
        if asked is not None:
            asked.append(name)
        return own()[THEOREM]

    return Named(name, profile, make)


def test_an_obligation_is_made_when_it_is_asked_for_and_once():
    asked = []
    some = Collection([named(asked=asked), named("another", asked=asked)])
    assert list(some) == [THEOREM, "another"]
    assert THEOREM in some
    assert some.of(Profile.DEFAULT) == [THEOREM, "another"]
    assert some.of(Profile.WIDE) == []
    assert asked == []
    assert some[THEOREM] is some.get(THEOREM) is own()[THEOREM]
    assert asked == [THEOREM]


@pytest.mark.parametrize(
    "wrong", [named("another"), named(profile=Profile.WIDE)], ids=["name", "profile"]
)
def test_what_is_stated_under_another_name_or_profile_is_refused(wrong):
    some = Collection([wrong])
    (name,) = some
    for _ in range(2):
        with pytest.raises(CatalogueError, match=rf"{name} \(.*is stated as fp16\.add\.rne \(default\)"):
            some[name]


def test_names_are_unique_before_anything_is_made():
    asked = []
    with pytest.raises(CatalogueError, match="two obligations are named another, of spikeproof; rename"):
        Collection([named("another", asked=asked)] * 2).whole()
    assert asked == []


def test_after_two_of_one_name_the_others_are_not_taken_for_all():
    """Whoever asked again was once given what was left, without a word."""
    first, other = own()["cell.ionic.and"], own()["cell.ionic.or"]
    for wrong, error in ((replace(first), "two obligations"), (None, "NoneType")):
        some = Collection([first, wrong, other])
        with pytest.raises((CatalogueError, AttributeError), match=error):
            len(some)
        with pytest.raises(CatalogueError, match="not all theorems could be stated"):
            len(some)


def test_what_cannot_be_made_is_not_taken_for_what_is_not_there():
    some = Collection([Named("some", Profile.DEFAULT, lambda _: {}["a part"])])
    with pytest.raises(CatalogueError, match="some cannot be stated: KeyError: 'a part'"):
        some.get("some")


def test_of_two_that_are_stated_under_one_name_none_is_dropped():
    one, other = own()["cell.ionic.and"], replace(own()["cell.ionic.or"], name="cell.ionic.and")
    some = Collection(together([one.name], Profile.DEFAULT, lambda: [one, other]))
    with pytest.raises(ValueError, match="mend the names of its family"):
        some[one.name]


def test_what_is_stated_together_has_just_the_names_that_were_said():
    gate = Gate("ionic", "and")
    stated = [each.name for each in obligations_of(gate)]
    assert [f"margin.ionic.and.{kind}" for kind in kinds(gate)] == stated
    for names in (stated[:-1], [*stated, "margin.ionic.and.other"], stated[::-1]):
        some = Collection(together(names, gate.profile, lambda: obligations_of(gate)))
        with pytest.raises(ValueError, match="mend the names of its family"):
            some[names[0]]


def test_a_family_whose_names_are_wrong_states_none_of_them(monkeypatch):
    """A gate that is taken to have one vertex more, or nothing left to harm it."""
    for change, gate in (("OF_THREE_VERTICES", "ionic.and"), ("FORGETTING", "ionic.xor")):
        monkeypatch.setattr(margins, change, {*getattr(margins, change), gate, "xor"})
        some = Collection(margins.obligations())
        with pytest.raises(ValueError, match="is named or stated, and not both"):
            some[f"margin.{gate}.noise"]
        monkeypatch.undo()
