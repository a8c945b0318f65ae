"""Netlists beside a simulation of the Verilog that they were read from, where a simulator is there.

What Yosys makes of a source is believed in no other way. Icarus Verilog is used, or Verilator, in this
order; a source that neither can compile is not compared, and the netlist's notes say so.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from spikeproof.circuits.doors.gates import Circuit
from spikeproof.circuits.doors.unrolling import Steps, clock
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, NetlistError

VECTORS = 2000
"""How many inputs are compared."""

COPIES = 64
"""How many instead of a design whose registers have reset values: each by a copy of the design."""

BATCH = 250
"""How many inputs the netlist computes at once."""

TIME_LIMIT = 120
"""Seconds that compiling may take, and simulating."""


@dataclass(frozen=True)
class Design:
    """A source, the module in it that is the top, and what Yosys made of that."""

    source: Path
    module: str
    circuit: Circuit


def compared(design: Design, netlist: Netlist, steps: int | Steps | None) -> str:
    """A note of how the netlist of a design was compared with the source's simulation, if it was.

    Args:
        steps: as they were unrolled; the source's folder is written to.

    Raises:
        NetlistError: if the simulation gives another output, with an input that shows it.
    """
    steps = steps if isinstance(steps, Steps) else Steps(steps or 1)
    fresh = any(register.reset is not None for register in design.circuit.registers.values())
    vectors = drawn(netlist.inputs, COPIES if fresh else VECTORS)
    folder = design.source.parent
    digits = -(-netlist.input_count // 4)
    lines = (f"{_joined(vector, netlist.inputs):0{digits}x}\n" for vector in vectors)
    (folder / "vectors.hex").write_text("".join(lines))
    bench = testbench(design, netlist, steps, len(vectors), copies=len(vectors) if fresh else 1)
    (folder / "testbench.v").write_text(bench)
    there = [simulator for simulator in SIMULATORS if shutil.which(simulator.program)]
    why = [] if there else ["there is neither iverilog nor verilator on the path"]
    for simulator in there:
        try:
            simulated = _simulated(simulator, design.source, len(vectors))
        except _FailedError as error:
            why.append(str(error))
        else:
            _require_equal(simulated, vectors, netlist)
            return f"compared with its simulation by {simulator.version()}, on {len(vectors)} inputs"
    return f"not compared with a simulation: {'; '.join(why)}"


# --- inputs -------------------------------------------------------------------------------------

Vector = Mapping[str, int]


def drawn(widths: Mapping[str, int], count: int) -> list[Vector]:
    """Inputs drawn at random, the same each time: among them words of long runs of equal bits, as
    extreme exponents have, words with few bits set or few not, and words nearly equal to another.
    """
    random = Random(0)
    vectors: list[Vector] = []
    for _ in range(count):
        vector: dict[str, int] = {}
        other = 0
        for name, width in widths.items():
            other = vector[name] = _word(random, width, other)
        vectors.append(vector)
    return vectors


def _word(random: Random, width: int, other: int) -> int:
    first, second, third = (random.getrandbits(width) for _ in range(3))
    low, high = sorted(random.choices(range(width + 1), k=2))
    run = (1 << high) - (1 << low)
    flipped = other ^ random.choice((0, 1, 1 << random.randrange(width)))
    kinds = (first, first | run, first & ~run, first & second & third, first | second | third, flipped)
    return random.choice(kinds) & (1 << width) - 1


def _joined(vector: Vector, widths: Mapping[str, int]) -> int:
    """All input words as one, the first lowest."""
    joined = place = 0
    for name, width in widths.items():
        joined |= vector[name] << place
        place += width
    return joined


# --- the simulation -----------------------------------------------------------------------------


def testbench(design: Design, netlist: Netlist, steps: Steps, vectors: int, copies: int) -> str:
    """Verilog that puts inputs to so many copies of a design, and prints what it puts out.

    Inputs are read from ``vectors.hex``; each line it prints has the number of an input and its outputs.
    """
    places: dict[str, str] = {}
    first = 0
    for name, width in netlist.inputs.items():
        places[name] = f"v[{first + width - 1}:{first}]"
        first += width
    clocked = clock(design.circuit)
    clock_name, rising = clocked or (None, True)

    def driven(name: str, width: int) -> str:
        if name == clock_name:
            return "clock"
        if name in steps.fixed:
            values = [f"{width}'d{steps.value(name, step)}" for step in range(steps.count)]
        elif steps.own_inputs:
            values = [places[f"{name}.{step + 1}"] for step in range(steps.count)]
        else:
            return places[name]
        *early, last = values
        return "".join(f"step == {step} ? {value} : " for step, value in enumerate(early)) + last

    outputs = {name: len(nets) for name, nets in design.circuit.outputs.items()}
    ports = [f".\\{n} ({driven(n, len(nets))})" for n, nets in design.circuit.inputs.items()]
    ports += [f".\\{name} (o{place})" for place, name in enumerate(outputs)]
    wires = [f"wire [{width - 1}:0] o{place};" for place, width in enumerate(outputs.values())]
    shown = ", ".join(f"o{place}" for place in range(len(outputs)))
    return f"""module spikeproof_testbench;
  reg [{netlist.input_count - 1}:0] vectors [0:{vectors - 1}];
  reg clock = {int(not rising)};
  reg show = 0;
  integer round, step, s;
  genvar copy;
  generate for (copy = 0; copy < {copies}; copy = copy + 1) begin : each
    wire [{netlist.input_count - 1}:0] v = vectors[round * {copies} + copy];
    {" ".join(wires)}
    \\{design.module} dut({", ".join(ports)});
    always @(posedge show) $display("%0d %b", round * {copies} + copy, {{{shown}}});
  end endgenerate
  initial begin
    round = 0;
    step = 0;
    $readmemh("vectors.hex", vectors);
    for (round = 0; round < {vectors // copies}; round = round + 1) begin
      step = 0;
      #1;
      for (s = 1; s < {steps.count}; s = s + 1) begin
        clock = {int(rising)};
        #1 clock = {int(not rising)};
        step = s;
        #1;
      end
      show = 1;
      #1 show = 0;
    end
    $finish;
  end
endmodule
"""


class _FailedError(Exception):
    """A simulator did not do its work; why."""


@dataclass(frozen=True)
class Simulator:
    """A program that simulates Verilog.

    Attributes:
        compile: from the files, the command that compiles them.
        run: the command that then simulates.
    """

    name: str
    program: str
    ask_version: str
    compile: Callable[[Sequence[str]], list[str]]
    run: tuple[str, ...]

    def version(self) -> str:
        """What it calls itself."""
        asked = [self.program, self.ask_version]
        lines = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
        return lines[0].strip() if lines else self.name


SIMULATORS = (
    Simulator(
        "Icarus Verilog",
        "iverilog",
        "-V",
        lambda files: ["iverilog", "-g2012", "-s", "spikeproof_testbench", "-o", "simulation", *files],
        ("vvp", "-n", "simulation"),
    ),
    Simulator(
        "Verilator",
        "verilator",
        "--version",
        lambda files: [
            *("verilator", "--binary", "-Wno-fatal", "--top-module", "spikeproof_testbench"),
            *("--Mdir", "objects", "-o", "simulation", *files),
        ],
        ("objects/simulation",),
    ),
)


def _simulated(simulator: Simulator, source: Path, count: int) -> list[str]:
    """What the source puts out for each input, as bits."""
    _run(simulator, "compile", simulator.compile(["testbench.v", source.name]), source.parent)
    printed = _run(simulator, "simulate", [*simulator.run], source.parent)
    found = dict(re.findall(r"^(\d+) ([01xz]+)$", printed, re.MULTILINE))
    if found.keys() != {*map(str, range(count))}:
        raise _FailedError(f"{simulator.name} gives {len(found)} of {count} outputs")
    return [found[str(number)] for number in range(count)]


def _run(simulator: Simulator, what: str, command: list[str], folder: Path) -> str:
    try:
        run = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=TIME_LIMIT
        )
    except subprocess.TimeoutExpired:
        raise _FailedError(f"{simulator.name} takes longer than {TIME_LIMIT} s to {what}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _FailedError(f"{simulator.name} does not {what} it: {error}") from None
    if run.returncode:
        said = " ".join((run.stderr or run.stdout).split())
        raise _FailedError(f"{simulator.name} does not {what} it: {said[:200]}")
    return run.stdout


# --- the comparison -----------------------------------------------------------------------------


def _require_equal(simulated: Sequence[str], vectors: Sequence[Vector], netlist: Netlist) -> None:
    for start in range(0, len(vectors), BATCH):
        batch = vectors[start : start + BATCH]
        inputs = {
            name: np.array([vector[name] for vector in batch], dtype=object) for name in netlist.inputs
        }
        outputs = boolean.evaluate(netlist, inputs)
        for place, vector in enumerate(batch):
            widths = netlist.output_widths.items()
            ours = {name: f"{int(outputs[name][place]):0{width}b}" for name, width in widths}
            theirs = simulated[start + place]
            if "".join(ours.values()) != theirs:
                raise NetlistError(_difference(vector, netlist, ours, theirs))


def _difference(vector: Vector, netlist: Netlist, ours: Mapping[str, str], theirs: str) -> str:
    given = ", ".join(f"{name} = {hex(value)}" for name, value in vector.items())
    wrong = []
    for name, bits in ours.items():
        other, theirs = theirs[: len(bits)], theirs[len(bits) :]
        if other != bits:
            wrong.append(f"{name} = {bits} (binary), its simulation {other}")
    return (
        f"Yosys translates it into other than what it means: for {given} the netlist gives "
        f"{'; '.join(wrong)}; use another version of Yosys, or write it another way"
    )
