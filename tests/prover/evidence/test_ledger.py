"""The ledger: it is that of the theorems as stated, and nothing less than promised keeps a promise."""

from dataclasses import replace

import pytest

from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import own
from spikeproof.prover.claims.obligation import (
    BOTH,
    Decomposition,
    Outcome,
    Profile,
    Step,
    equivalence,
)
from spikeproof.prover.evidence.ledger import (
    Evidence,
    LedgerError,
    differences,
    ledger_path,
    promises,
    read,
    unfulfilled,
    written,
)
from spikeproof.prover.evidence.record import Certificate, EngineUse, Lemma, Record, Reply
from spikeproof.specs import integers
from tests.support.command_line import spikeproof


def stated(name, expected=Outcome.PROVED, **others):
    return equivalence(
        name,
        f"{name} is what it should be",
        lambda: gate_netlist("ionic", "and"),
        integers.GATES["and"],
        expected=expected,
        **others,
    )


BY_STEPS = Decomposition(lambda inputs, probe: {}, (Step(("product",)),), Step(()))

WHOLE = stated("a.whole")
SPLIT = stated("a.product", decomposition=BY_STEPS)
FALSE = stated("a.falsehood", Outcome.REFUTED)
ONE_ENGINE = stated("a.quick.one", engines=("z3",))
WIDE = stated("a.wide", profile=Profile.WIDE, engines=("cadical",))
ALL = (WHOLE, SPLIT, FALSE, ONE_ENGINE, WIDE)
LEDGER = promises(ALL)

ENGINES = {"z3": EngineUse("z3", "5.4.0", ""), "cadical": EngineUse("cadical", "3.0.0", "")}


def certificate(kind):
    return Certificate.of(kind, kind.encode())


def lemma(name, status="unsatisfiable", kind="claim", engines=BOTH, form="drat"):
    replies = tuple(Reply(engine, status, 0.1) for engine in engines)
    return Lemma(name, kind, "0" * 64, "0" * 64, replies, (certificate(form),) if form else ())


def algebra(name):
    return Lemma(name, "algebra", None, None, (), (certificate("telescoping"),))


def record(obligation, *lemmas, **others):
    """A record of what became of an obligation: all is as promised unless told otherwise."""
    proved = obligation.expected is Outcome.PROVED
    status, form = ("unsatisfiable", "drat") if proved else ("satisfiable", "model")
    whole = lemma(obligation.name, status, engines=obligation.engines, form=form)
    kept = Record(
        schema="spikeproof-record-1",
        theorem=obligation.name,
        statement=obligation.statement,
        parameters={},
        outcome=obligation.expected,
        expected=obligation.expected,
        engines=tuple(ENGINES[name] for name in obligation.engines),
        seed=0,
        timeout=300.0,
        seconds=0.1,
        peak_memory_mib=1.0,
        message="",
        counterexample=None,
        netlist=None,
        spec_sha256=None,
        lemmas=lemmas or (whole,),
        source_sha256="0" * 64,
        seal="",
    )
    return replace(kept, **others)


LEMMAS = (
    lemma("x_significand"),
    algebra("product: cells"),
    lemma("outputs", "satisfiable", "assumptions", form="model"),
    lemma("outputs"),
)

KEPT = (
    record(WHOLE),
    record(SPLIT, *LEMMAS),
    record(FALSE),
    record(ONE_ENGINE),
    record(WIDE),
)


# --- the file -----------------------------------------------------------------------------------


def test_the_shipped_ledger_is_that_of_the_theorems():
    assert differences(read(ledger_path()), own().values()) == []
    assert ledger_path().read_text() == written(own().values())


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "ledger.tsv"
    path.write_text(written(ALL))
    assert read(path) == LEDGER
    assert list(read(path)) == [obligation.name for obligation in ALL]


def test_a_ledger_in_full():
    assert written(ALL) == (
        "theorem\tprofile\texpected\tevidence\tstatement\n"
        "a.whole\tdefault\tproved\tcadical+z3, whole, drat\ta.whole is what it should be\n"
        "a.product\tdefault\tproved\tcadical+z3, lemmas, drat\ta.product is what it should be\n"
        "a.falsehood\tdefault\trefuted\tcadical+z3, whole, model\ta.falsehood is what it should be\n"
        "a.quick.one\tdefault\tproved\tz3, whole\ta.quick.one is what it should be\n"
        "a.wide\twide\tproved\tcadical, whole, drat\ta.wide is what it should be\n"
    )


def test_evidence_of_cases():
    of_cases = replace(WHOLE, cases=lambda inputs: {})
    assert str(Evidence.of(of_cases)) == "cadical+z3, cases, drat"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no ledger"),
        ("theorem\tstatement\n", "other headings"),
        (written([WHOLE]) + "a.b\tdefault\n", "line 3: .* is no promise"),
        (written([WHOLE]).replace("proved", "unknown"), "line 2"),
        (written([WHOLE]).replace("proved", "perhaps"), "line 2"),
        (written([WHOLE]).replace("whole,", "somehow,"), "line 2"),
        (written([WHOLE]) + written([WHOLE]).splitlines()[1], "line 3: a.whole is there twice"),
    ],
)
def test_a_ledger_that_cannot_be_read_is_refused(tmp_path, text, message):
    path = tmp_path / "ledger.tsv"
    path.write_text(text)
    with pytest.raises(LedgerError, match=message):
        read(path)


def test_a_ledger_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(LedgerError, match="ledger --write"):
        read(tmp_path / "none.tsv")


# --- against the obligations --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("obligations", "difference"),
    [
        ((*ALL, stated("a.new")), "a.new is stated, but not promised"),
        (ALL[1:], "a.whole is promised, but not stated"),
        (
            (replace(WHOLE, statement="another"), *ALL[1:]),
            "a.whole is stated with statement 'another', but promised with "
            "'a.whole is what it should be'",
        ),
        (
            (replace(WHOLE, expected=Outcome.REFUTED), *ALL[1:]),
            "a.whole is stated with expected 'refuted', but promised with 'proved'",
        ),
        (
            (replace(WHOLE, profile=Profile.WIDE), *ALL[1:]),
            "a.whole is stated with profile 'wide', but promised with 'default'",
        ),
        (
            (replace(WHOLE, engines=("cadical",)), *ALL[1:]),
            "a.whole is stated with evidence 'cadical, whole, drat', but promised with "
            "'cadical+z3, whole, drat'",
        ),
        (
            (replace(WHOLE, decomposition=BY_STEPS), *ALL[1:]),
            "a.whole is stated with evidence 'cadical+z3, lemmas, drat', but promised with "
            "'cadical+z3, whole, drat'",
        ),
        (ALL[::-1], "the ledger is in another order than the theorems are stated"),
    ],
)
def test_every_difference_is_told(obligations, difference):
    found = differences(LEDGER, obligations)
    assert f"{difference}; if that is meant, run `spikeproof ledger --write`" in found


def test_a_ledger_of_the_same_theorems_does_not_differ():
    assert differences(LEDGER, ALL) == []
    assert differences(LEDGER, [replace(WHOLE, engines=BOTH[::-1]), *ALL[1:]]) == []


# --- against the records of a run ---------------------------------------------------------------


def test_promises_are_kept():
    assert unfulfilled(LEDGER, KEPT, wide=True, whole=True) == []
    assert unfulfilled(LEDGER, KEPT[:-1], wide=False, whole=True) == []
    assert unfulfilled(LEDGER, KEPT[1:2], wide=True, whole=False) == []
    assert unfulfilled(LEDGER, [], wide=False, whole=False) == []


def test_missing_records_are_missed_in_a_whole_run_alone():
    missing = "a.whole is promised, but there is no record of it"
    assert unfulfilled(LEDGER, KEPT[1:], wide=True, whole=True) == [missing]
    assert unfulfilled(LEDGER, KEPT[1:], wide=True, whole=False) == []
    (line,) = unfulfilled(LEDGER, KEPT[:-1], wide=True, whole=True)
    assert line == "a.wide is promised, but there is no record of it"


@pytest.mark.parametrize("name", ["a.product", "a.whole"])
def test_engines_may_be_told_by_their_labels(name):
    """A reply may say which version it is of."""
    (kept,) = (each for each in KEPT if each.theorem == name)
    lemmas = tuple(
        replace(each, replies=tuple(replace(r, engine=ENGINES[r.engine].label) for r in each.replies))
        for each in kept.lemmas
    )
    assert unfulfilled(LEDGER, [replace(kept, lemmas=lemmas)], wide=False, whole=False) == []


def test_what_was_proved_whole_need_not_have_been_split():
    assert unfulfilled(LEDGER, [record(SPLIT)], wide=False, whole=False) == []


def test_a_second_record_does_not_hide_the_first():
    red = replace(KEPT[0], outcome=Outcome.TIMEOUT)
    assert unfulfilled(LEDGER, [red, *KEPT], wide=True, whole=True) == [
        "a.whole is promised to be proved: timeout"
    ]


def without(kept, index, **changes):
    """A record with one of its lemmas changed."""
    lemmas = list(kept.lemmas)
    lemmas[index] = replace(lemmas[index], **changes)
    return replace(kept, lemmas=tuple(lemmas))


KEPT_WHOLE, KEPT_SPLIT, KEPT_FALSE, *_ = KEPT

BROKEN = {
    "timeout": (replace(KEPT_WHOLE, outcome=Outcome.TIMEOUT), "to be proved: timeout"),
    "unknown": (replace(KEPT_WHOLE, outcome=Outcome.UNKNOWN), "to be proved: unknown"),
    "error": (replace(KEPT_WHOLE, outcome=Outcome.ERROR), "to be proved: error"),
    "refuted": (replace(KEPT_WHOLE, outcome=Outcome.REFUTED), "to be proved: refuted"),
    "refuted as if promised": (
        replace(KEPT_WHOLE, outcome=Outcome.REFUTED, expected=Outcome.REFUTED),
        "has the expected outcome 'refuted', but promised is 'proved'",
    ),
    "proved where refuted": (replace(KEPT_FALSE, outcome=Outcome.PROVED), "to be refuted: proved"),
    "statement": (replace(KEPT_WHOLE, statement="another"), "has the statement 'another'"),
    "unpromised": (replace(KEPT_WHOLE, theorem="a.stranger"), "a.stranger is not promised"),
    "no lemma": (replace(KEPT_WHOLE, lemmas=()), "no lemma was put to an engine"),
    "algebra alone": (
        replace(KEPT_SPLIT, lemmas=(algebra("product"),)),
        "no lemma was put to an engine",
    ),
    "split": (record(WHOLE, *LEMMAS), "it was put to the engines by lemmas, but promised is whole"),
    "one engine": (
        record(WHOLE, lemma(WHOLE.name, engines=("z3",))),
        "lemma 'a.whole' is to be unsatisfiable; cadical: no answer",
    ),
    "one engine of a lemma": (
        without(KEPT_SPLIT, 3, replies=LEMMAS[3].replies[1:]),
        "lemma 'outputs' is to be unsatisfiable; z3: no answer",
    ),
    "engine undecided": (
        without(KEPT_WHOLE, 0, replies=(Reply("z3", "timeout", 1.0), KEPT_WHOLE.lemmas[0].replies[1])),
        "is to be unsatisfiable; z3: timeout",
    ),
    "engine contradicts": (
        without(KEPT_FALSE, 0, replies=lemma("", "unsatisfiable").replies),
        "is to be satisfiable; z3: unsatisfiable",
    ),
    "engine contradicts itself": (
        without(
            KEPT_WHOLE,
            0,
            replies=(Reply("z3", "satisfiable", 0.1), *KEPT_WHOLE.lemmas[0].replies),
        ),
        "is to be unsatisfiable; z3: satisfiable",
    ),
    "assumptions impossible": (
        without(KEPT_SPLIT, 2, replies=lemma("", "unsatisfiable").replies),
        "is to be satisfiable; z3: unsatisfiable",
    ),
    "no certificate": (without(KEPT_WHOLE, 0, certificates=()), "has no drat certificate"),
    "another certificate": (
        without(KEPT_WHOLE, 0, certificates=(certificate("smtlib"),)),
        "has no drat certificate",
    ),
    "no certificate of a lemma": (without(KEPT_SPLIT, 0, certificates=()), "has no drat certificate"),
    "no certificate of algebra": (without(KEPT_SPLIT, 1, certificates=()), "has no telescoping"),
    "no certificate of assumptions": (without(KEPT_SPLIT, 2, certificates=()), "has no model"),
    "no certificate of a refutation": (without(KEPT_FALSE, 0, certificates=()), "has no model"),
}


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("way", BROKEN)
def test_a_promise_is_not_kept(way, whole):
    broken, message = BROKEN[way]
    others = [kept for kept in KEPT if kept.theorem != broken.theorem]
    found = unfulfilled(LEDGER, [*others, broken], wide=True, whole=whole)
    assert any(message in line for line in found), found
    assert all(line.startswith(broken.theorem) for line in found)


# --- the command --------------------------------------------------------------------------------


def test_the_command_checks_and_shows():
    check = spikeproof("ledger", "--check")
    assert check.returncode == 0, check.stdout + check.stderr
    assert check.stdout == f"the ledger is that of all {len(own()):,} theorems\n"
    shown = spikeproof("ledger")
    assert shown.returncode == 0
    assert shown.stdout == ledger_path().read_text()


@pytest.fixture
def another_ledger(tmp_path, monkeypatch):
    """A ledger in place of ours."""
    path = tmp_path / "ledger.tsv"
    monkeypatch.setattr("spikeproof.prover.commands.ledger.ledger_path", lambda: path)
    return path


def invoke(*arguments):
    from click.testing import CliRunner

    from spikeproof.prover.commands.ledger import ledger

    return CliRunner().invoke(ledger, arguments)


def test_the_command_writes_what_it_checks(another_ledger):
    another_ledger.write_text(written([*own().values()][1:]))
    check = invoke("--check")
    assert check.exit_code == 1
    assert "cell.ionic.and is stated, but not promised" in check.output
    assert invoke("--write").exit_code == 0
    assert another_ledger.read_text() == written(own().values())
    assert invoke("--check").exit_code == 0
