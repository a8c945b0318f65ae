"""TestFloat's door: vectors written by hand from the standard, and every kind of disagreement."""

import re
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from spikeproof.circuits.doors.json import write_json
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import CatalogueError, theorem
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running import testfloat
from tests.support.command_line import spikeproof_here

DOCS = Path(__file__).parents[3] / "docs" / "testfloat.md"

LANDMARKS = {
    # 1 + 1; overflow; infinity - infinity, the NaN of x86; x - x; ties to even, down and up; a
    # signalling and a quiet NaN; zeros of unlike signs
    "fp16.add.rne.riscv.any_nan.flags": """
        3C00 3C00 4000 00
        7BFF 7BFF 7C00 05
        7C00 FC00 FE00 10
        0001 8001 0000 00
        3C00 1000 3C00 01
        3C01 1000 3C02 01
        7D00 3C00 7F00 10
        7E01 3C00 7E01 00
        8000 0000 0000 00
    """,
    # x - x is -0 in this mode alone; an overflow is the largest number
    "fp16.subtract.rtn.flags": """
        3C00 3C00 8000 00
        7BFF FBFF 7BFF 05
    """,
    # (1 - 2^-6)(1 + 2^-6) 2^-14 is tiny before rounding, and rounds to 2^-14; half of the smallest
    "fp16.multiply.rne.flags": """
        3BE0 0410 0400 03
        0001 3800 0000 03
        0400 3800 0200 00
        0000 7C00 7E00 10
    """,
    "fp16.multiply.rne.tiny_after.flags": """
        3BE0 0410 0400 01
        0001 3800 0000 03
    """,
    "fp16.divide.rne.flags": """
        3C00 0000 7C00 08
        BC00 0000 FC00 08
        0000 0000 7E00 10
        4200 4000 3E00 00
        3C00 4200 3555 01
    """,
    # the square root of 2 is 1 + 0x1A8.27.. / 0x400
    "fp16.square_root.rne.flags": """
        4000 3DA8 01
        4400 4000 00
        8000 8000 00
        BC00 7E00 10
    """,
    # 1 * 1 + 1; 0 * infinity + a quiet NaN
    "fp16.fma.rne.riscv.flags": """
        3C00 3C00 3C00 4000 00
        0000 7C00 7E01 7E00 10
    """,
    # to odd: 1 + 2^-12 is not 1
    "fp16.add.rto.flags": """
        3C00 0C00 3C01 01
        3C01 0C00 3C01 01
    """,
    "fp16.convert_from_fp32.rne.flags": """
        3F800000 3C00 00
        477FE000 7BFF 00
        47800000 7C00 05
    """,
    "fp32.convert_from_int32.rne": """
        00000001 3F800000 00
        FFFFFFFF BF800000 00
        01000001 4B800000 01
    """,
    "int32.convert_from_fp32.rtz": """
        3FC00000 00000001 00
        BFC00000 FFFFFFFF 01
        4F000000 7FFFFFFF 10
    """,
    "fp32.less": """
        3F800000 40000000 1 00
        40000000 3F800000 0 00
        80000000 00000000 0 00
        7FC00000 3F800000 0 10
    """,
    # binary128, of more bits than a machine word has
    "e15m112.add.rne": f"""
        3FFF{28 * "0"} 3FFF{28 * "0"} 4000{28 * "0"} 00
        7FFE{28 * "F"} 7FFE{28 * "F"} 7FFF{28 * "0"} 05
    """,
}

ADD = "fp8_e5m2.add.rne.flags"

VECTORS = """
3C 3C 40 00
7B 7B 7C 05
7C FC 7E 10
3C 30 3C 01
7F 3C 7E 00
01 81 00 00
40 BC 3C 00
""".lstrip()
"""1 + 1; overflow; infinity - infinity; 1 + 2^-3, a tie; a NaN; x - x; 2 - 1."""


def lines(text):
    return "".join(f"{line.strip()}\n" for line in text.strip().splitlines())


@pytest.fixture(scope="module", autouse=True)
def _compiled_once():
    """The spec of each theorem, and each circuit."""
    compiled = testfloat._spec_of
    by_name = cache(lambda name: compiled(theorem(name)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testfloat, "_spec_of", lambda obligation: by_name(obligation.name))
        patch.setattr(testfloat, "BitSlicedSimulator", cache(testfloat.BitSlicedSimulator))
        yield


@pytest.fixture
def check(tmp_path, capsys):
    """Runs the command on vectors in a file."""

    def run(name, text, *arguments):
        (tmp_path / "vectors.txt").write_bytes(text.encode())
        return spikeproof_here(capsys, "testfloat", name, tmp_path / "vectors.txt", *arguments)

    return run


def without(text, line, put):
    assert text.count(line) == 1
    return text.replace(line, put)


@pytest.mark.parametrize("name", LANDMARKS)
def test_landmarks_of_the_standard(check, name):
    text = lines(LANDMARKS[name])
    run = check(name, text)
    assert run.stdout.startswith(f"{name}: {text.count(chr(10))} vectors, all agree\n")
    assert "the spec of record on" in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 80
    assert ("flags: not compared" in run.stdout) == (not name.endswith("flags"))
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "put", "words"),
    [
        ("40 BC 3C 00", "40 BC 3D 00", "result normal, should be normal: 1"),
        ("40 BC 3C 00", "40 BC 3C 01", "flags, inexact too many: 1"),
        ("7B 7B 7C 05", "7B 7B 7C 01", "flags, overflow missing: 1"),
        ("01 81 00 00", "01 81 80 00", "result zero, should be zero: 1"),
        ("7F 3C 7E 00", "7F 3C 7F 00", "result nan, should be nan: 1"),
    ],
    ids=["result", "flag too many", "flag missing", "sign of zero", "payload"],
)
def test_one_wrong_vector(check, line, put, words):
    run = check(ADD, without(VECTORS, line, put))
    assert run.returncode == 1
    assert run.stdout.startswith(f"{ADD}: 7 vectors, 1 disagrees\n")
    assert "the vectors differ, circuit and spec agree: 1 of 7" in run.stdout
    assert f"  {words}\n" in run.stdout
    number = VECTORS.splitlines().index(line) + 1
    assert f"the simplest of them, line {number}:\n" in run.stdout
    assert "the spec differs" not in run.stdout
    assert "the circuit differs" not in run.stdout


def test_a_wrong_vector_wider_than_a_machine_word(check):
    one, two = (f"{top}{28 * '0'}" for top in ("3FFF", "4000"))
    run = check("e15m112.add.rne", f"{two} {two} {two} 00\n{one} {one} {one} 00\n")
    assert run.returncode == 1
    assert "the vectors differ, circuit and spec agree: 2 of 2" in run.stdout
    assert "the simplest of them, line 2:" in run.stdout
    assert f"(0x{two})  normal  2" in run.stdout


def test_flags_are_in_softfloats_order(check):
    """In ours, invalid would be 01 and inexact 10."""
    reverse = {"00": "00", "01": "10", "10": "01", "05": "14"}
    ours = "".join(f"{line[:-2]}{reverse[line[-2:]]}\n" for line in VECTORS.splitlines())
    run = check(ADD, ours)
    assert run.returncode == 1
    assert f"{ADD}: 7 vectors, 3 disagree" in run.stdout
    assert "flags, circuit   10000 = inexact\n" in run.stdout
    assert "flags, spec      10000 = inexact\n" in run.stdout
    assert "flags, vectors   00001 = invalid\n" in run.stdout


def test_a_convention_allows_another_nan(check):
    vectors = without(without(VECTORS, "7C FC 7E 10", "7C FC FE 10"), "7F 3C 7E 00", "7F 3C FD 00")
    assert check(ADD, vectors).returncode == 1
    assert check("fp8_e5m2.add.rne.any_nan.flags", vectors).returncode == 0
    infinity = without(vectors, "7C FC FE 10", "7C FC 7C 10")
    run = check("fp8_e5m2.add.rne.any_nan.flags", infinity)
    assert run.returncode == 1
    assert "result infinity, should be nan: 1" in run.stdout


def test_what_is_not_spoken_of_is_not_compared_and_said(check):
    vectors = without(VECTORS, "40 BC 3C 00", "40 BC 3C 1F")
    run = check("fp8_e5m2.add.rne", vectors)
    assert run.returncode == 0
    assert f"flags: not compared, for the theorem does not speak of them\n    {ADD} does" in run.stdout
    run = check("fp8_e5m2.add.rne", re.sub(" ..$", "", vectors, flags=re.M))
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            "40 BC 3C",
            "line 5 has 3 fields, vectors of fp8_e5m2.add.rne.flags have 4 (x, y, result, flags): "
            "if they lack flags, ask for fp8_e5m2.add.rne\n",
        ),
        ("0x40 0xBC 0x3C 00", "line 5: x is '0x40'; write it without 0x\n"),
        ("40 BC 3C 00 00", "line 5 has 5 fields"),
        ("40 0BC 3C 00", "line 5: y is '0BC', of fp8_e5m2.add.rne.flags it has 2 digits (8 bits)"),
        ("40 BC 3G 00", "line 5: result is '3G', which is not hexadecimal"),
        ("40 BC -3 00", "line 5: result is '-3', which is not hexadecimal"),
        ("40 BC 3C 20", "line 5: flags is '20', which has more than 5 bits"),
        ("40 BC 3\x00 00", "line 5: result is '3\\x00', which is not hexadecimal"),
    ],
)
def test_a_bad_line_in_the_middle_is_refused(check, line, why):
    run = check(ADD, without(VECTORS, "7F 3C 7E 00", line))
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"spikeproof: {why}")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["", "\n"])
def test_no_vectors_are_no_test(check, text):
    run = check(ADD, text)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert text or "no vectors are no test" in run.stderr


# --- circuits -----------------------------------------------------------------------------------


@pytest.fixture
def broken():
    """Our unit with the last bit of its result stuck."""
    netlist = theorem(ADD).circuit()
    return stuck_at_zero(netlist, netlist.outputs["result"][0]).netlist


def test_a_wrong_circuit(check, broken, tmp_path):
    """Alone; with vectors that have its fault; with others that are wrong."""
    write_json(broken, tmp_path / "broken.json")
    right = "3C 31 3D 01\n3C 3C 40 00\n3D 3C 40 01\n40 3D 42 01\n3C 34 3D 00\n"
    run = check(ADD, right, "--circuit", tmp_path / "broken.json")
    assert run.returncode == 1
    assert run.stdout.startswith(f"the circuit given instead, of SHA-256 {broken.sha256[:12]}\n")
    assert "the circuit differs, spec and vectors agree: 2 of 5" in run.stdout
    assert "the simplest of them, line 5:" in run.stdout
    found = boolean.evaluate(broken, {"x": np.array([0x3C]), "y": np.array([0x34])})["result"][0]
    assert found == 0x3C
    run = check(ADD, "3C 34 3C 00\n", "--circuit", tmp_path / "broken.json")
    assert run.returncode == 1
    assert "the spec differs, circuit and vectors agree: 1 of 1" in run.stdout
    run = check(ADD, "3C 34 3E 00\n", "--circuit", tmp_path / "broken.json")
    assert run.returncode == 1
    assert "circuit, spec and vectors all differ: 1 of 1" in run.stdout


def test_a_circuit_of_other_buses_is_refused(check, tmp_path):
    write_json(gate_netlist("ionic", "and"), tmp_path / "and.json")
    run = check(ADD, VECTORS, "--circuit", tmp_path / "and.json")
    assert (run.returncode, run.stdout) == (2, "")
    assert "bus mismatch" in run.stderr


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("spec.fp16.less.floating_point_theory", "is about formulas"),
        ("margin.ionic.and.noise", "is about the neurons of its own circuit"),
        ("cell.ionic.and", "gives out, TestFloat's vectors have a result and its flags"),
    ],
)
def test_theorems_that_have_no_vectors_are_refused(check, capsys, name, why):
    generated = spikeproof_here(capsys, "testfloat", name, "--generate", 1)
    for run in (generated, check(name, VECTORS)):
        assert (run.returncode, run.stdout) == (2, "")
        assert why in run.stderr
        assert run.stderr.count("\n") == 1


# --- generated ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "fp8_e5m2.fma.rtp.riscv.flags",
        "fp6_e2m3.add.rne.saturate",
        "fp16.less",
        "int16.convert_from_fp16.rtz",
        "fp64.convert_from_fp32.rne",
    ],
)
def test_what_is_generated_is_read_again(check, capsys, name):
    written = spikeproof_here(capsys, "testfloat", name, "--generate", 1000)
    assert (written.returncode, written.stderr) == (0, "")
    assert written.stdout.count("\n") == 1000
    run = check(name, written.stdout)
    assert run.returncode == 0
    assert f"{name}: 1,000 vectors, all agree" in run.stdout


def test_what_is_generated_is_what_numpy_says(capsys):
    text = spikeproof_here(capsys, "testfloat", "fp16.add.rne.flags", "--generate", 20_000).stdout
    rows = np.array([[int(word, 16) for word in line.split()] for line in text.splitlines()])
    x, y, result = rows[:, :3].T.astype(np.uint16)
    with np.errstate(all="ignore"):
        expected = (x.view(np.float16) + y.view(np.float16)).view(np.uint16)
    nan = np.isnan(expected.view(np.float16))
    assert 0 < nan.sum() < len(rows)
    assert (result[~nan] == expected[~nan]).all()
    assert (result[nan] == 0x7E00).all()
    infinite = (expected & 0x7FFF == 0x7C00) & (x & 0x7C00 != 0x7C00) & (y & 0x7C00 != 0x7C00)
    assert infinite.any()
    assert (rows[infinite, 3] == 5).all()
    assert set(rows[nan, 3]) == {0, 0x10}


def test_a_seed_says_what_is_generated(capsys):
    def generated(count, *arguments):
        given = ("testfloat", "fp8_e5m2.add.rne", "--generate", count, *arguments)
        return spikeproof_here(capsys, *given).stdout

    assert generated(50) == generated(50, "--seed", 0)
    assert generated(50) != generated(50, "--seed", 1)
    assert generated(100).startswith(generated(50))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--generate", 3, "vectors.txt"), "leave out FILE and --circuit"),
        (("--generate", 3, "--circuit", "mine.json"), "leave out FILE and --circuit"),
        (("--seed", 3, "vectors.txt"), "add --generate COUNT"),
        (("--generate", 0), "0 is not in the range x>=1"),
        (("absent.txt",), "spikeproof: cannot read absent.txt: No such file or directory\n"),
    ],
)
def test_what_does_not_go_together_is_refused(capsys, arguments, why):
    run = spikeproof_here(capsys, "testfloat", ADD, *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert why in run.stderr
    assert run.stderr.count("\n") == 1


def test_operands_too_wide_to_be_drawn_are_refused(capsys):
    run = spikeproof_here(capsys, "testfloat", "e15m112.add.rne", "--generate", 3)
    assert (run.returncode, run.stdout) == (2, "")
    assert "too wide to be drawn" in run.stderr


# --- pipes --------------------------------------------------------------------------------------

COMMAND = [sys.executable, "-c", "from spikeproof.prover.commands.cli import main; main()"]


def test_standard_input_is_read():
    """To its end, and no line before it is there."""
    run = subprocess.run(
        [*COMMAND, "testfloat", ADD], input=VECTORS, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert f"{ADD}: 7 vectors, all agree" in run.stdout


def test_an_interrupt_is_one_line():
    with subprocess.Popen(
        [*COMMAND, "testfloat", ADD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        run.stdin.write(VECTORS * 100_000)
        run.stdin.flush()
        run.send_signal(signal.SIGINT)
        out, error = run.communicate()
    assert (run.returncode, out) == (130, "")
    assert (
        error.strip()
        == "spikeproof: interrupted; what `prove`, `exhaust` or `network` had done is kept: repeat it"
    )


def test_a_closed_standard_input_has_no_vectors():
    run = subprocess.run(
        ["bash", "-c", '"$@" <&-', "bash", *COMMAND, "testfloat", ADD],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert "pipe what `testfloat_gen FUNCTION` writes, or name a FILE" in run.stderr


# --- documentation ------------------------------------------------------------------------------


def test_every_theorem_of_the_documentation_is_there():
    text = DOCS.read_text()
    named = set(re.findall(r"`(\w+\.(?:\w+\.)*\w+)`", text))
    named |= set(re.findall(r"spikeproof testfloat (\w+\.\S+)", text))
    named -= {"riscv.any_nan", "arm_default_nan.any_nan"}
    assert len(named) > 20
    assert all(theorem(name) for name in named)


def test_a_function_of_testfloat_is_told_its_theorem_as_the_documentation_has_it():
    rows = re.findall(r"^\| (`\w+_\w+`.*?) \| (.*?)(?:;.*)? \|$", DOCS.read_text(), re.M)
    columns = [[re.findall(r"`(\w\S+)`", cell) for cell in row] for row in rows]
    said = {f: t for functions, names in columns for f, t in zip(functions, names, strict=False)}
    assert len(said) >= 19
    for function, name in said.items():
        with pytest.raises(CatalogueError, match=re.escape(f"did you mean {name}?")):
            theorem(function)
