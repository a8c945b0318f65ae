"""``spikeproof sizes``: figures of circuits by structure, and which are worth having."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from spikeproof.circuits.units.libraries import STRUCTURE_NAMES
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.commands.sizes import NAMES
from spikeproof.prover.margins.limits import Limit
from spikeproof.prover.report.sizes import COSTS, Size, better, by_structure
from tests.support.command_line import spikeproof
from tests.support.terminal import at_a_terminal

UNIT = "fp4_e2m1.divide.rne.saturate"
"""Of an operation that has every structure."""


def sizes(*arguments, status=0):
    """What the command shows."""
    result = spikeproof("sizes", *arguments)
    assert result.returncode == status, result.stderr
    return result.stdout if status == 0 else result.stderr


def test_every_structure_has_a_row_in_both_tables():
    lines = [line.split() for line in sizes(UNIT, "--structures", "all", "--samples", "4").splitlines()]
    assert [line[0] for line in lines if line and line[0] in NAMES] == [*NAMES, *NAMES]
    assert set(NAMES) == set(STRUCTURE_NAMES.values())


def test_the_figures_are_those_of_the_circuit():
    data = json.loads(sizes(f"{UNIT}.shallow8", "--structures", "all", "--json", "-"))
    points = {point["structure"]: point for point in data["units"][0]["points"]}
    assert list(points) == list(NAMES)
    for structure, point in points.items():
        netlist = theorem(point["theorem"]).circuit()
        size = netlist.statistics
        assert (point["neurons"], point["depth"]) == (size.neurons, size.depth)
        assert (point["synapses"], point["largest_fan_in"]) == (size.synapses, size.largest_fan_in)
        weights = [[abs(weight) for _, weight in neuron.synapses] for neuron in netlist.neurons]
        assert point["largest_weight"] == str(max(map(max, weights)))
        assert point["sum_of_weights"] == str(max(map(sum, weights)))
        assert point["noise"] == "[-1/2, 1/2)"
        assert Fraction(point["spikes"]) > 0
        assert structure in (*point["theorem"].split("."), "small")


def test_the_default_is_the_structure_of_the_name():
    shown = sizes(f"{UNIT}.fast", "--samples", "0").splitlines()
    assert [line.split()[0] for line in shown if line.split() and line.split()[0] in NAMES] == [
        "fast"
    ] * 2


def test_what_a_library_cannot_make_is_left_out():
    made = by_structure(theorem(f"{UNIT}.nexus"), NAMES)
    assert [each.parameters["structure"] for each in made] == ["small", "fast"]


def test_what_has_no_rows_has_no_radix():
    made = by_structure(theorem("fp4_e2m1.multiply.rne.saturate"), NAMES)
    found = [each.parameters["structure"] for each in made]
    assert found == [name for name in NAMES if "radix" not in name]


def test_a_table_fits_a_terminal_of_80_columns():
    lines = at_a_terminal("sizes", UNIT, "--structures", "all", "--samples", "4", columns=80)
    rows = [line for line in lines if line.split()[:1] == ["shallow128"]]
    assert len(rows) == 2
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a unit"),
        (("fp16.less",), "is of no structure"),
        (("fp16.add.rne", "--structures", "small,deep"), "'deep' is no structure; choose of small"),
    ],
)
def test_bad_usage_is_told_in_a_line(arguments, said):
    message = sizes(*arguments, status=2)
    assert said in message
    assert message.count("\n") == 1


def test_only_what_is_beaten_in_every_way_is_off_the_front():
    size = Size.of(theorem(UNIT), 0, lambda count: None)
    wider, smaller = replace(size, neurons=size.neurons + 1), replace(size, neurons=size.neurons - 1)
    same = replace(size, structure="another")
    assert better(size, [size, wider, same]) is None
    assert better(same, [size, wider, same]) is size
    assert better(size, [wider, smaller]) is smaller
    assert better(size, [replace(smaller, depth=size.depth + 1)]) is None
    worse = replace(smaller, spread=Limit(size.spread.value / 2))
    assert better(size, [worse]) is None
    assert better(replace(size, spread=replace(size.spread, attained=False)), [size]) is size
    assert set(COSTS) >= {"neurons", "depth", "synapses", "fan-in", "weight", "sum", "spread", "energy"}


@pytest.mark.parametrize("unit", [UNIT, "fp16.add.rne"])
def test_two_rails_fire_one_for_each_bit(unit):
    """Each neuron has a partner of the other value: half of them fire, whatever the inputs."""
    size = Size.of(theorem(f"{unit}.dual_rail.shallow"), 16, lambda count: None)
    assert size.neurons == 2 * size.activity.spikes.value
    one = Size.of(theorem(f"{unit}.shallow"), 16, lambda count: None)
    assert one.activity.spikes.value < one.neurons
