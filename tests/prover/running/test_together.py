"""Theorems decided in one enumeration: their records are those that each has alone."""

from dataclasses import replace

from spikeproof.proofs.names import unit_named
from spikeproof.prover.claims.blocked import blocked
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.record import CACHED
from spikeproof.prover.running import discharge as discharge_module
from spikeproof.prover.running.run import Run, discharge_all
from spikeproof.prover.running.together import decided_together, grouped

NAMES = [f"e5m11.reciprocal.{mode}" for mode in ("rne", "rtz", "rto")]


def said(record):
    """A record but for what differs from one run to the next."""
    return replace(record, seconds=0.0, peak_memory_mib=0.0, seal="")


def never(*_, **__):
    raise AssertionError("evaluated by itself")


def test_those_of_one_function_are_grouped_where_the_first_is():
    names = [NAMES[0], "cell.ionic.and", "e5m11.rsqrt.rtz", NAMES[1], "fp8_e5m2.exp.rne", NAMES[2]]
    found = [[each.name for each in group] for group in grouped(map(theorem, names))]
    assert found == [NAMES, ["cell.ionic.and"], ["e5m11.rsqrt.rtz"], ["fp8_e5m2.exp.rne"]]


def test_records_are_those_of_each_alone(monkeypatch):
    alone = [Run().discharge(theorem(name)).record for name in NAMES]
    monkeypatch.setattr(discharge_module, "require_true_of_every_block", never)
    found = [each.record for each in discharge_all(NAMES, Run(), jobs=1)]
    assert [*map(said, found)] == [*map(said, alone)]
    assert all(record.green and record.seconds > 0 for record in found)


def test_only_what_is_new_is_decided(tmp_path, monkeypatch):
    cache = Cache(tmp_path / "cache")
    list(discharge_all(NAMES[:1], Run(cache=cache), jobs=1))
    monkeypatch.setattr(discharge_module, "require_true_of_every_block", never)
    found = list(discharge_all(NAMES, Run(cache=cache), jobs=1))
    assert [each.origin for each in found] == [CACHED, "", ""]
    assert all(each.green for each in found)


def test_of_several_the_one_that_is_wrong_is_refuted(monkeypatch):
    monkeypatch.setattr(discharge_module, "_presented", lambda case, verdict: verdict)  # which is long
    nearest, toward_zero, to_odd = map(theorem, NAMES)
    wrong = replace(toward_zero, circuit=nearest.circuit)
    found = Run().discharge_together([nearest, wrong, to_odd])
    assert [each.record.outcome for each in found] == [Outcome.PROVED, Outcome.REFUTED, Outcome.PROVED]
    assert found[1].record.counterexample


def test_what_fails_is_an_error_of_its_own_and_ends_no_other():
    """Whatever it raises."""
    unit = unit_named("e5m7.reciprocal.rne")

    def stated(name, results):
        return blocked(name, "s", unit.circuit, results, unit.line, unit.definition, alike="these")

    obligations = [stated("some.right", unit.block), stated("some.failing", lambda *_: {}["a part"])]
    found = Run().discharge_together(obligations)
    assert [each.outcome for each in found] == [Outcome.PROVED, Outcome.ERROR]
    assert found[1].message == "KeyError: 'a part'"


def test_what_is_not_in_blocks_is_not_decided_together():
    assert decided_together([theorem("fp8_e5m2.exp.rne"), theorem("fp8_e5m2.exp.rtz")], 60.0) == {}


def test_where_time_is_up_none_is_decided():
    assert decided_together([*map(theorem, NAMES)], 0.0) == {}


def test_how_far_it_is_is_told():
    words: list[str] = []
    assert set(decided_together([*map(theorem, NAMES)], 60.0, told=words.append)) == set(NAMES)
    assert words[-1] == "every input, evaluated for 3 modes, 100.0%"
