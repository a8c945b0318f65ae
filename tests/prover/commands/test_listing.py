"""``spikeproof list``: a table on a terminal, data into a pipe."""

import json

from spikeproof.prover.claims.catalogue import catalogue, select
from tests.support.command_line import spikeproof
from tests.support.terminal import at_a_terminal

LONG = "fp8_e5m2fnuz.sticky_extra_multiply.rne.saturate*"


def test_into_a_pipe_go_whole_lines():
    run = spikeproof("list")
    assert run.returncode == 0
    found = [line.split("\t") for line in run.stdout.splitlines()]
    assert found == [
        [o.name, o.expected.value, o.profile.value, o.statement] for o in catalogue().values()
    ]


def test_several_patterns():
    run = spikeproof("list", "cell.ionic.*adder", "cell.*.full_adder")
    names = [line.split("\t")[0] for line in run.stdout.splitlines()]
    assert len(names) == len(set(names)) == 6
    assert {"cell.ionic.full_adder", "cell.ionic.half_adder", "cell.nexus.full_adder"} <= set(names)


def test_json():
    run = spikeproof("list", "fp16.add.*", "--json", "-")
    listed = json.loads(run.stdout)
    assert listed["schema"] == "spikeproof-list-1"
    assert [each["theorem"] for each in listed["theorems"]] == [o.name for o in select("fp16.add.*")]
    first = listed["theorems"][0]
    assert set(first) == {"theorem", "expected", "profile", "statement", "parameters"}
    assert first["parameters"]["format"] == "fp16"


def test_at_a_terminal_nothing_is_cut_off():
    names = [obligation.name for obligation in select(LONG)]
    heading, *lines = at_a_terminal("list", LONG)
    assert heading.split() == ["theorem", "promised"]
    assert [line.split()[0] for line in lines if line.startswith("fp8")] == names
    assert all(len(line) <= 80 for line in lines)
    statements = " ".join(" ".join(lines).split())
    assert all(" ".join(obligation.statement.split()) in statements for obligation in select(LONG))


def test_colours_asked_for_make_no_terminal_of_a_pipe():
    run = spikeproof("list", "cell.ionic.xor", FORCE_COLOR="1")
    assert run.stdout == "cell.ionic.xor\tproved\tdefault\tthe ionic xor gate is its Boolean function\n"
