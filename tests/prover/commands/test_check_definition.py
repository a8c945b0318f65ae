"""``spikeproof check`` of a definition of a layer: proved, refuted, undecided, and what is refused."""

import json
from functools import partial

import pytest

from spikeproof.prover.refutation.programs import _row
from tests.support.command_line import spikeproof_here

SOFTMAX = "program.fp8_e5m2.softmax.rne.4.pairwise"

LAYERS = """
from spikeproof.specs.orders import pairwise, sequential
from spikeproof.specs.programs import Arithmetic, call, module

f = Arithmetic("fp8_e5m2")

def softmax(x, order=pairwise, divided=f):
    largest = pairwise(4).evaluate(list(x), lambda a, b: f.exactly("maximum", a, b))
    powers = f("exp", f.subtract(x, largest))
    return divided.divide(powers, order(4).evaluate(list(powers), f.add))

def in_sequence(x):
    return softmax(x, sequential)

def by_other_units(x):
    return softmax(x, divided=Arithmetic("fp8_e5m2", "rne.fast"))

def by_a_module(x):
    return call(module("mine", {"x": x.array}, softmax), x)

def alike(x):
    largest = sequential(4).evaluate(list(x), lambda a, b: f.exactly("maximum", a, b))
    powers = f("exp", f.subtract(x, largest))
    return f.divide(powers, pairwise(4).evaluate(list(powers), f.add))

def of_two(x, y):
    return x

def of_nothing(x):
    return None

def longer(x):
    return x.take([0, 1, 2, 3, 3])

def by_no_unit(x):
    return f("softmax", x)

def crooked(x):
    return x.reshape(5)

def captured(x):
    largest = pairwise(4).evaluate(list(x), lambda a, b: f.exactly("maximum", a, b))
    powers = f("exp", f.subtract(x, largest))
    total = pairwise(4).evaluate(list(powers), f.add)
    share = module("share", {"p": powers.array, "t": total.array}, lambda p, t: f.divide(x, t))
    return call(share, powers, total)

def captured_behind(x):
    largest = pairwise(4).evaluate(list(x), lambda a, b: f.exactly("maximum", a, b))
    powers = f("exp", f.subtract(x, largest))
    total = pairwise(4).evaluate(list(powers), f.add).broadcast(4)
    share = module("share", {"t": total.array, "p": powers.array}, lambda t, p: f.divide(p, x))
    return call(share, total, powers)

def of_junk(x):
    right, kept = softmax(x), []
    def junk(a):
        value = a
        while value.place < right.place:
            value = f.add(value, value)
        kept.append(value)
        return value
    module("junk", {"a": x.array}, junk)
    return kept[0]

def by_equality(x):
    return x if x[0] == x[1] else softmax(x)

def by_truth(x):
    return x if not x else softmax(x)

def halved(x):
    return f.multiply(x, 0.5)
"""


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """Theorems about units, which definitions share, are proved once."""
    return tmp_path_factory.mktemp("units")


@pytest.fixture
def checked(capsys, tmp_path, monkeypatch, units):
    """What the command says of a definition."""
    monkeypatch.chdir(tmp_path)
    for name in ("CACHE", "STATE"):  # the key that seals what is kept is in the second
        monkeypatch.setenv(f"SPIKEPROOF_{name}", str(units / name))
    (tmp_path / "layers.py").write_text(LAYERS)
    run = partial(spikeproof_here, capsys)
    return lambda name, *options, spec=SOFTMAX: run(
        "check", f"layers.py:{name}", "--spec", spec, *options
    )


@pytest.mark.parametrize("name", ["softmax", "by_other_units", "by_a_module"])
def test_a_right_definition_is_proved(checked, name):
    run = checked(name)
    assert run.returncode == 0, run.stderr
    first, second = run.stdout.splitlines()
    assert first == f"PROVED: layers.py:{name} computes, on every input, what {SOFTMAX} says"
    assert second.startswith("evidence: congruence, and theorems about fp8_e5m2.maximum, ")


def test_a_wrong_definition_is_refuted_with_an_input_module_and_operation(checked, tmp_path):
    run = checked("in_sequence", "--json", "out.json")
    assert run.returncode == 1
    assert run.stdout.startswith(f"REFUTED: layers.py:in_sequence does not compute what {SOFTMAX} says")
    assert "result, circuit" in run.stdout
    assert "softmax_4 computes result[0] otherwise than its spec" in run.stdout
    assert "its spec has no fp8_e5m2.add.rne of such operands" in run.stdout
    assert json.loads((tmp_path / "out.json").read_text())["result"]["outcome"] == "refuted"


def test_long_rows_are_broken_between_elements():
    texts = [f"0x{n:04x} ({n / 7:.8g})" for n in range(16)]
    lines = _row("  input x          ", texts).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("  input x          0x0000 (0), 0x0001 (0.14285714), ")
    assert all(line.startswith(" " * 19 + "0x") for line in lines[1:])
    assert " ".join(line[19:] for line in lines) == ", ".join(texts)


def test_what_only_a_law_of_arithmetic_would_show_is_undecided(checked):
    run = checked("alike")
    assert run.returncode == 3
    assert "no input is known on which that matters" in run.stdout


REFUSED = {
    "nothing": ("none", (), "there is no none in layers.py; it has softmax"),
    "other operands": ("of_two", (), "it is called with x: missing a required argument: 'y'"),
    "no value": ("of_nothing", (), "it gives something of type NoneType; let it give a Value"),
    "another shape": (
        "longer",
        (),
        "gives result (fp8_e5m2[5]), not result (fp8_e5m2[4])",
    ),
    "no theorem": ("by_no_unit", (), "no theorem says what fp8_e5m2.softmax.rne computes"),
    "an error": ("crooked", (), "it raises ProgramError: softmax_4: (4,) is not (5,) (layers.py:"),
    "a captured value": ("captured", (), "ProgramError: softmax_4: this is a value of share, another"),
    "a captured operand": ("captured_behind", (), "ProgramError: share: this is a value of softmax_4"),
    "a result of another": ("of_junk", (), "ProgramError: softmax_4: this is a value of junk, another"),
    "an equality": ("by_equality", (), "softmax_4: what a value holds is not known while"),
    "a truth": ("by_truth", (), "softmax_4: what a value holds is not known while"),
    "a number": ("halved", (), 'x.draft.constant("fp16", 0x3800) is 0.5'),
    "an option": ("softmax", ("--order", "msb"), "--budget, --jobs and --json may be said, no more"),
}


@pytest.mark.parametrize(("name", "options", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_definition_is_refused_in_a_line(checked, name, options, words):
    run = checked(name, *options)
    assert run.returncode == 2
    assert words in run.stderr.splitlines()[-1]


def test_a_definition_beside_the_theorem_of_one_unit_is_refused_in_a_line(checked):
    run = checked("softmax", spec="fp8_e5m2.silu.rne")
    assert run.returncode == 2
    assert "it takes x, and what makes a circuit takes nothing" in run.stderr.splitlines()[-1]
    assert "compared with a theorem program.*" in run.stderr.splitlines()[-1]


def test_a_program_that_is_no_layer_is_refused(checked):
    run = checked("softmax", spec="program.fp8_e5m2.softmax.rne.4")
    assert run.returncode == 2
    assert "needs an order" in run.stderr
