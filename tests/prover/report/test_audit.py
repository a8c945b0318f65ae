"""The page about one circuit: the verdict comes first, and every figure is that of the circuit."""

import re
from dataclasses import replace

from spikeproof.circuits.doors.sources import Interface
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.report.audit import audit_page, verdict
from spikeproof.prover.running.checks import by_circuit
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.run import Run

NAME = "fp6_e3m2.add.rne.saturate"


def page(of, theorem_name=NAME):
    obligation, circuit = theorem(theorem_name), theorem(of).circuit()
    record = Run(60.0, circuit).discharge(obligation).record
    return record, audit_page(record, obligation, circuit, "mine<1>.json")


def cells(html, row):
    return re.search(rf"{row}</th><td>(.*?)</td><td>(.*?)</td>", html).groups()


def test_a_wrong_circuit_is_wrong_in_the_first_line_and_shown_class_by_class():
    record, html = page("fp6_e3m2.subtract.rne.saturate")
    assert record.outcome is Outcome.REFUTED
    banner = re.search(r'class="banner (\w+)" role="alert">(.*?)<', html)
    assert banner[1] == "bad"
    assert banner[2].startswith("Wrong")
    body = html[html.index("The simplest input of each class") :]
    assert "<h3>x normal, y normal</h3>" in body
    assert body.count("result, circuit") == body.count("result, spec") == body.count("<h3>")
    assert "mine&lt;1&gt;.json" in html
    assert "<script" not in html


def test_of_whole_numbers_no_fields_are_explained_and_nothing_is_said_twice():
    wrong = theorem("cell.nexus.or").circuit()
    right = theorem("cell.nexus.and").circuit()
    question = by_circuit(lambda *_: (wrong, Interface()), right, "right.json")
    record = Run(60.0, wrong).discharge(question.obligation).record
    assert record.outcome is Outcome.REFUTED
    html = audit_page(record, question.obligation, wrong, "mine.json")
    assert "circuit and spec differ" in html
    assert "exponent" not in html[html.index("<body>") :]
    assert html.count(question.obligation.function) == 1


def test_of_floating_point_numbers_the_fields_are_explained():
    _, html = page("fp6_e3m2.subtract.rne.saturate")
    legend = re.search(r'<p class="legend">(.*)</p>', html)[1]
    assert re.findall(r'class="field (\w+)"', legend) == ["sign", "exponent", "fraction"]


def test_a_circuit_of_another_convention_is_told_so_first():
    record, html = page("fp6_e3m2.add.rtz.saturate")
    assert "Wrong by this theorem; it is right by another convention, fp6_e3m2.add.rtz.saturate." in html
    assert verdict(record) in html


def test_sizes_are_those_of_both():
    own, other = theorem(NAME).circuit(), theorem("fp6_e3m2.add.rne.saturate.fast").circuit()
    record, html = page("fp6_e3m2.add.rne.saturate.fast")
    assert record.outcome is Outcome.PROVED
    assert "Right on every input that the theorem is about: proved." in html
    clausal = sum(each.kind == "drat" for each in record.certificates)
    assert 0 < clausal < len(record.certificates)  # there are scripts of z3 too
    assert re.search(r"<dt>clausal proofs</dt><dd>(\d+)</dd>", html)[1] == str(clausal)
    assert cells(html, "neurons") == (str(len(other.neurons)), str(len(own.neurons)))
    assert cells(html, "depth, in neurons") == (str(other.statistics.depth), str(own.statistics.depth))
    assert cells(html, "noise that every neuron bears, either way") == ("less than 1/2",) * 2


def test_what_was_not_decided_is_never_called_right():
    obligation, circuit = theorem(NAME), theorem(NAME).circuit()
    record = discharge(obligation, circuit=circuit)
    for outcome in (Outcome.TIMEOUT, Outcome.UNKNOWN, Outcome.ERROR):
        undecided = replace(record, outcome=outcome, message="why")
        html = audit_page(undecided, obligation, circuit, "mine.json")
        assert verdict(undecided).startswith("Not decided")
        assert 'class="banner bad"' in html
        assert "proved" not in verdict(undecided)
