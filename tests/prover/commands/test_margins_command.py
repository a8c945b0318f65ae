"""``spikeproof margins``: limits with their theorems, and published figures beside ours."""

import pytest

from spikeproof.prover.commands import margins as margins_module
from tests.support.command_line import spikeproof
from tests.support.terminal import at_a_terminal


def margins(*arguments, status=0):
    """What the command shows."""
    result = spikeproof("margins", *arguments)
    assert result.returncode == status, result.stderr
    return result.stdout if status == 0 else result.stderr


def rows(text, *starts):
    """The lines that begin with these words."""
    return [line.split() for line in text.splitlines() if line.split()[: len(starts)] == [*starts]]


def test_limits_of_a_library():
    text = margins("--library", "ionic")
    (limits,) = rows(text, "ionic.and")
    assert limits[1:] == ["[-1/2,", "1/2)", "(-1/3,", "1/3]", "1/4", "1/7", "1/3", "1/3"]
    assert "margin.GATE.COLUMN" in text
    assert not rows(text, "nexus.and")
    assert max(map(len, text.splitlines()[:10])) <= 80


def test_limits_of_a_gate_come_with_their_theorems():
    text = margins("--library", "ternary", "--gate", "full_adder")
    (limits,) = rows(text, "ternary.full_adder")
    assert "1/11" in limits
    theorem = "margin.ternary.full_adder.threshold_and_weight"
    assert "proved" in rows(text, theorem)[0]
    assert "refuted" in rows(text, f"{theorem}.beyond")[0]
    assert "right iff 5 t + 4 w < 1 and 5 t + 6 w <= 1." in text


def test_a_published_loss_that_is_impossible():
    text = margins("--table", "threshold")
    (varied,) = rows(text, "S2", "and", "+-0.1")
    assert varied[3:] == ["96", "to", "98", "100", "(-1/3,", "1/3]", "99.967", "impossible"]
    assert "another cause" in text


def test_a_published_immunity_that_needs_clearing():
    text = margins("--table", "leak", "--library", "ionic", "--gate", "and")
    (half,), (tenth,) = (rows(text, "S1", "and", beta) for beta in ("0.5", "0.1"))
    assert " ".join(half[3:]) == "100 100 wrong at evaluation 2 wrong at evaluation 2"
    assert " ".join(tenth[3:]) == "100 100 right: up to 1/3 right: up to 1/3"


def test_at_a_narrow_terminal_nothing_is_cut_off():
    lines = at_a_terminal("margins", "--table", "threshold", "--gate", "full_adder", columns=40)
    assert not any("…" in line for line in lines)
    assert " ".join(" ".join(lines).split()).count("published is impossible") == 2


def test_published_accuracies_beside_the_exact_ones():
    text = margins("--table", "noise", "--gate", "xor")
    (ionic,) = rows(text, "S1", "xor", "0.5")
    assert ionic[3:5] == ["73.6", "74.144"]
    (nexus,) = rows(text, "S2", "xor", "0.2")
    assert nexus[3:6] == [">", "98", "97.860"]
    assert nexus[-4:] == ["too", "high", "by", "0.14"]


def test_what_is_not_there_is_said_in_one_line():
    error = margins("--table", "noise", "--library", "ternary", status=2)
    assert error == "spikeproof: no such figure is published; leave out --library or --gate\n"
    assert "'wet' is not one of" in margins("--library", "wet", status=2)


def test_how_likely_units_err(monkeypatch):
    """Of a small unit instead of those of a library."""
    assert "fp8_e4m3fn.multiply.rne.saturate.ternary" in margins_module.names_of_units("ternary")
    unit = "fp4_e2m1.multiply.rne.saturate.ternary"
    monkeypatch.setattr(margins_module, "names_of_units", lambda library: [unit])
    text = margins("--units", "--library", "ternary", "--sigma", "0.16", "--copies", "1")
    simulated, *reached = (line for line in rows(text, unit) if line[1:])
    sigma, copies, least, low, _, high, most, anywhere = simulated[3:]
    assert (sigma, copies) == ("0.16", "1")
    assert float(least) <= float(low) < float(high) <= float(most) <= float(anywhere)
    assert [line[1:3] for line in reached[:3]] == [["1", "none"], ["3", "noisy"], ["3", "ideal"]]
    assert all(float(line[3]) < float(line[5]) for line in reached)
    assert "margin.unit.UNIT.noise" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sigma", "0"), "sigma is 0; use a positive deviation"),
        (("--sigma", "1e400"), "sigma is above 1,000,000; use a positive deviation"),
        (("--sigma", "-1"), "sigma is -1; use at least 0"),
        (("--sigma", "wet"), "sigma is 'wet'; use a finite number"),
        (("--copies", "2"), "2 copies have no majority in every case; use an odd number"),
        (("--gate", "and"), "leave out --gate and --table"),
        (("--table", "noise"), "leave out --gate and --table"),
    ],
)
def test_nonsense_about_units_is_said_in_one_line(arguments, message):
    error = margins("--units", *arguments, status=2)
    assert message in error
    assert error.count("\n") == 1


def test_what_is_about_units_alone_is_said():
    assert "add --units" in margins("--sigma", "0.1", status=2)
    assert "add --units" in margins("--copies", "3", status=2)
