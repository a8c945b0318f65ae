"""How fast circuits run: our simulators beside others, and beside the machine's own arithmetic.

``python -m benchmarks.simulation_speed`` measures, in one process and one run,

* evaluations a second of three units, by each engine that is installed: the bit-sliced code on one core
  and on all, on inputs that are counted through and on arrays of words; Boolean evaluation; the membrane
  engine, with noise and without, on one core and on all; the same circuit as a PyTorch module, of plain
  comparisons, of SpikingJelly's IFNode, of snnTorch's Leaky; and NumPy's arithmetic, which has no
  circuit at all. All but those that say otherwise, and words, are on one core;
* compile time, time of an evaluation and memory against the size of a circuit: array multipliers of
  10^2 to 10^6 neurons.

Outputs are compared with Boolean evaluation before an engine is timed, where they leave it. It
prints tables, and writes them to ``benchmarks/results``, with a plot.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator, cores, netlist_function
from spikeproof.circuits.meanings.enumeration import Enumeration
from spikeproof.circuits.meanings.membrane import Membrane, MembraneSimulator
from spikeproof.circuits.meanings.native import BLOCK, GROUP
from spikeproof.circuits.netlist import ZERO, Bus, Netlist
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.proofs.units import Unit
from spikeproof.prover.engines.memory import forget_peak_memory, peak_memory_mib
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32

RESULTS = Path(__file__).parent / "results"

UNITS = (
    Unit("multiply", FP8_E4M3FN, policy=FP8_E4M3FN.policies[0]),
    Unit("add", FP16),
    Unit("multiply", FP32),
)

WIDTHS = (6, 18, 58, 183, 577)
"""Of the operands of array multipliers: about 3 * width^2 neurons."""

BLOCKS = 1024
"""Blocks of inputs that an enumeration runs at a time; beyond the last it begins again."""

BATCH = 1 << 12
"""Inputs that a PyTorch module is given at a time."""

MACHINE = "NumPy arithmetic"
"""The engine that has no neurons."""

NOISE = 0.05
"""Of membranes: its deviation, in units of weight; a tenth of what every neuron stands."""

WORDS = 1 << 20
"""Words that the others are given at a time."""

Run = Callable[[], int]
"""Evaluates some inputs and says how many."""


@dataclass(frozen=True)
class Speed:
    """What one engine made of one unit: evaluations a second, and MiB at the most while it ran."""

    unit: str
    neurons: int
    engine: str
    evaluations_per_second: float
    peak_memory_mib: float


@dataclass(frozen=True)
class Scale:
    """What the bit-sliced engine made of an array multiplier, on one core; times in seconds."""

    neurons: int
    operations: int
    compile_seconds: float
    seconds_per_evaluation: float
    peak_memory_mib: float


# --- engines ------------------------------------------------------------------------------------


def _counting(threads: int, unit: Unit, netlist: Netlist) -> Run:
    enumeration = Enumeration(netlist_function(netlist))
    pool = ThreadPoolExecutor(threads)
    calls = 16 * threads

    def run() -> int:
        list(pool.map(lambda number: enumeration.run(number * BLOCKS, BLOCKS), range(calls)))
        return calls * BLOCKS * BLOCK

    return run


def _inputs(unit: Unit, netlist: Netlist, count: int) -> dict[str, NDArray[np.uint64]]:
    codes = many_codes(unit.fmt, count, seed=1, operands=len(netlist.inputs))
    return dict(zip(netlist.inputs, codes, strict=True))


def _words(unit: Unit, netlist: Netlist) -> Run:
    simulator, inputs = BitSlicedSimulator(netlist), _inputs(unit, netlist, WORDS)

    few = _inputs(unit, netlist, BATCH)
    _require_agreement(unit, netlist, simulator.evaluate(few)["result"])
    return lambda: len(simulator.evaluate(inputs)["result"])


def _boolean(unit: Unit, netlist: Netlist) -> Run:
    inputs = _inputs(unit, netlist, BATCH)
    return lambda: len(boolean.evaluate(netlist, inputs)["result"])


def _bits(unit: Unit, netlist: Netlist) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(boolean.unpack_words(codes, netlist.inputs[name]))
        for name, codes in _inputs(unit, netlist, BATCH).items()
    }


def _membrane(threads: int, noise: float, unit: Unit, netlist: Netlist) -> Run:
    """Potentials from rest, on the inputs that modules are given, several times over."""
    simulator = MembraneSimulator(netlist, Membrane(noise=noise), threads=threads)
    bits = _bits(unit, netlist)
    inputs = {name: rows.repeat(1, 4) for name, rows in bits.items()}

    def run() -> int:
        return simulator.evaluate(inputs)["result"].shape[1]

    _require_agreement(unit, netlist, boolean.pack_words(simulator.evaluate(bits)["result"].numpy()))
    return run


class _Comparison(torch.nn.Module):
    """Fires where the drive reaches 1."""

    def forward(self, drive: Tensor) -> Tensor:
        return (drive >= 1).to(drive.dtype)


def _integrate_and_fire() -> torch.nn.Module:
    from spikingjelly.activation_based.neuron import IFNode

    class Resting(IFNode):  # type: ignore[misc]
        """Begins each evaluation at rest."""

        def forward(self, drive: Tensor) -> Any:
            self.reset()
            return super().forward(drive)

    return Resting(v_threshold=1.0, v_reset=None)


def _leaky() -> torch.nn.Module:
    from snntorch import Leaky

    class Resting(Leaky):  # type: ignore[misc]
        """Begins each evaluation at rest."""

        def forward(self, drive: Tensor) -> Any:
            return super().forward(drive, torch.zeros_like(drive))[0]

    return Resting(beta=1.0, threshold=1.0)


class _Module(torch.nn.Module):
    """A netlist as a PyTorch module: layer by layer, a gather, a weighted sum, and a spiking node."""

    def __init__(self, netlist: Netlist, node: Callable[[], torch.nn.Module]) -> None:
        super().__init__()
        first = netlist.input_count
        depths: dict[int, list[int]] = {}
        for signal in range(first, netlist.signal_count):
            depths.setdefault(netlist.levels[signal], []).append(signal)
        self._silent = torch.zeros(len(netlist.neurons), BATCH)
        self._layers = []
        self._result = list(netlist.outputs["result"])
        for _, signals in sorted(depths.items()):
            neurons = [netlist.neurons[signal - first] for signal in signals]
            width = max(1, *(len(neuron.synapses) for neuron in neurons))
            rows = [[*n.synapses, *[(0, 0)] * (width - len(n.synapses))] for n in neurons]
            sources = torch.tensor([[source for source, _ in row] for row in rows])
            weights = torch.tensor([[[float(weight)] for _, weight in row] for row in rows])
            # The nodes' threshold is 1, so that what is above it comes as a bias.
            biases = torch.tensor([[float(1 + n.bias - n.threshold)] for n in neurons])
            self._layers.append((signals, sources, weights, biases, node()))

    def forward(self, bits: Tensor) -> Tensor:
        """From input bits, shape (bits, batch), the result's bits."""
        spikes = torch.cat([bits, self._silent])
        for signals, sources, weights, biases, node in self._layers:
            spikes[signals] = node((weights * spikes[sources]).sum(dim=1) + biases)
        return spikes[self._result]


def _module(node: Callable[[], torch.nn.Module], unit: Unit, netlist: Netlist) -> Run:
    module = _Module(netlist, node)
    bits = torch.cat(list(_bits(unit, netlist).values())).float()

    def result() -> Tensor:
        with torch.inference_mode():
            found: Tensor = module(bits)
        return found

    _require_agreement(unit, netlist, boolean.pack_words(result().bool().numpy()))
    return lambda: result().shape[1]


_NUMPY_TYPES = {"fp16": np.float16, "fp32": np.float32}
_NUMPY_FUNCTIONS = {"add": np.add, "multiply": np.multiply}


def _numpy(unit: Unit, netlist: Netlist) -> Run | None:
    kind = _NUMPY_TYPES.get(unit.fmt.name)
    if kind is None:
        return None
    function = _NUMPY_FUNCTIONS[unit.operation]
    unsigned = f"u{unit.fmt.width // 8}"
    x, y = (codes.astype(unsigned).view(kind) for codes in _inputs(unit, netlist, WORDS).values())

    def run() -> int:
        with np.errstate(all="ignore"):
            return len(function(x, y))

    return run


def _require_agreement(unit: Unit, netlist: Netlist, found: NDArray[Any]) -> None:
    wanted = boolean.evaluate(netlist, _inputs(unit, netlist, BATCH))["result"]
    if not np.array_equal(found, wanted):
        raise AssertionError(f"an engine errs on {unit.name}; mend it before it is timed")


def engines() -> dict[str, Callable[[Unit, Netlist], Run | None]]:
    """Those that are installed, by name."""
    every: dict[str, Callable[[Unit, Netlist], Run | None]] = {
        "bit-sliced, 1 core": partial(_counting, 1),
        f"bit-sliced, {cores()} cores": partial(_counting, cores()),
        "bit-sliced, words": _words,
        "Boolean (NumPy)": _boolean,
        "membrane, 1 core": partial(_membrane, 1, 0.0),
        f"membrane, {cores()} cores": partial(_membrane, cores(), 0.0),
        "membrane with noise, 1 core": partial(_membrane, 1, NOISE),
        f"membrane with noise, {cores()} cores": partial(_membrane, cores(), NOISE),
        "PyTorch module": partial(_module, _Comparison),
    }
    if find_spec("spikingjelly"):
        every["SpikingJelly IFNode"] = partial(_module, _integrate_and_fire)
    if find_spec("snntorch"):
        every["snnTorch Leaky"] = partial(_module, _leaky)
    return {**every, MACHINE: _numpy}


# --- measuring ----------------------------------------------------------------------------------


def rate(run: Run, seconds: float) -> float:
    """Evaluations a second: the best of three spells, since other programs take the cores too."""
    run()
    best = 0.0
    for _ in range(3):
        done, started = 0, time.perf_counter()
        while (taken := time.perf_counter() - started) < seconds / 3 or not done:
            done += run()
        best = max(best, done / taken)
    return best


def speeds(seconds: float) -> Iterator[Speed]:
    """Each engine on each unit, in turn."""
    for unit in UNITS:
        netlist = unit.circuit()
        for name, engine in engines().items():
            forget_peak_memory()
            run = engine(unit, netlist)
            if run:
                found = rate(run, seconds)
                yield Speed(unit.name, len(netlist.neurons), name, found, peak_memory_mib())


def array_multiplier(width: int) -> Netlist:
    """The partial products of two words, added row by row; the last carries are left as they are."""
    gates = library_gates("threshold")
    x, y = gates.builder.input("x", width), gates.builder.input("y", width)
    sums: Bus = (*(gates.and_(bit, y[0]) for bit in x[1:]), ZERO)
    carries: Bus = (ZERO,) * width
    low = [gates.and_(x[0], y[0])]
    for select in y[1:]:
        row = [
            gates.full_adder(gates.and_(bit, select), a, b)
            for bit, a, b in zip(x, sums, carries, strict=True)
        ]
        low.append(row[0][0])
        sums, carries = (*(total for total, _ in row[1:]), ZERO), tuple(carry for _, carry in row)
    return gates.builder.build({"low": tuple(low), "sums": sums[:-1], "carries": carries})


def scales(seconds: float, widths: Sequence[int]) -> Iterator[Scale]:
    """Array multipliers of growing size."""
    for width in widths:
        netlist = array_multiplier(width)
        forget_peak_memory()
        started = time.perf_counter()
        function = netlist_function(netlist)
        enumeration = Enumeration(function)
        compiled = time.perf_counter() - started
        blocks = max(GROUP, 10**6 // len(netlist.neurons))

        def run(enumeration: Enumeration = enumeration, blocks: int = blocks) -> int:
            enumeration.run(0, blocks)
            return BLOCK * blocks

        found = rate(run, seconds)
        yield Scale(len(netlist.neurons), function.operations, compiled, 1 / found, peak_memory_mib())


# --- results ------------------------------------------------------------------------------------


def speed_table(measured: Sequence[Speed]) -> list[list[str]]:
    """A row for each engine: evaluations a second of each unit, and the most memory of them."""
    names = list(dict.fromkeys(each.unit for each in measured))
    found = {(each.engine, each.unit): each for each in measured}
    rows = [["engine", *names, "neurons a second, at least", "peak memory"]]
    for engine in dict.fromkeys(each.engine for each in measured):
        of_engine = [found.get((engine, unit)) for unit in names]
        shown = [f"{each.evaluations_per_second:.2g}" if each else "" for each in of_engine]
        memory = max(each.peak_memory_mib for each in of_engine if each)
        neurons = min(each.neurons * each.evaluations_per_second for each in of_engine if each)
        updates = "" if engine == MACHINE else f"{neurons:.2g}"
        rows.append([engine, *shown, updates, f"{memory:,.0f} MiB"])
    return rows


def scale_table(measured: Sequence[Scale]) -> list[list[str]]:
    """A row for each size."""
    rows = [
        ["neurons", "operations", "compile time", "time of an evaluation", "per neuron", "peak memory"]
    ]
    for each in measured:
        rows.append(
            [
                f"{each.neurons:,}",
                f"{each.operations:,}",
                f"{each.compile_seconds:.2f} s",
                f"{each.seconds_per_evaluation * 1e9:,.3g} ns",
                f"{each.seconds_per_evaluation / each.neurons * 1e12:.2g} ps",
                f"{each.peak_memory_mib:,.0f} MiB",
            ]
        )
    return rows


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown, numbers to the right."""
    head, *body = rows
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def plot(measured: Sequence[Speed], scaled: Sequence[Scale]) -> Figure:
    """Evaluations a second by engine and unit; time to compile and to evaluate against size."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    bars, lines = figure.subplots(1, 2, width_ratios=(3, 2))
    names = list(dict.fromkeys(each.unit for each in measured))
    shown = list(dict.fromkeys(each.engine for each in measured))[::-1]
    height = 0.8 / len(names)
    for index, unit in enumerate(names):
        of_unit = [each for each in measured if each.unit == unit]
        bars.barh(
            [shown.index(each.engine) - (index - (len(names) - 1) / 2) * height for each in of_unit],
            [each.evaluations_per_second for each in of_unit],
            height,
            label=f"{unit} ({of_unit[0].neurons:,} neurons)",
        )
    bars.set(xscale="log", xlabel="evaluations a second", yticks=range(len(shown)), yticklabels=shown)
    bars.grid(axis="x", alpha=0.3)
    figure.legend(*bars.get_legend_handles_labels(), loc="outside upper left", ncols=len(names))
    sizes = [each.neurons for each in scaled]
    lines.plot(sizes, [each.compile_seconds for each in scaled], "o-", label="to compile")
    million = [each.seconds_per_evaluation * 1e6 for each in scaled]
    lines.plot(sizes, million, "s-", label="for a million evaluations, 1 core")
    lines.plot(sizes, [size * million[0] / sizes[0] for size in sizes], "k:", label="in proportion")
    lines.set(xscale="log", yscale="log", xlabel="neurons (array multipliers)", ylabel="seconds")
    lines.grid(alpha=0.3)
    lines.legend(loc="lower right", fontsize="small")
    return figure


def _machine() -> str:
    libraries = []
    for name in ("llvmlite", "torch", "numpy", "spikingjelly", "snntorch"):
        try:
            libraries.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            libraries.append(f"no {name}")
    return f"{platform.machine()}, {cores()} cores, Python {platform.python_version()}, " + ", ".join(
        libraries
    )


@click.command(help=__doc__)
@click.option("--seconds", type=click.FloatRange(min=0.01), default=3, show_default=True)
@click.option("--largest", type=click.IntRange(min=WIDTHS[0]), default=WIDTHS[-1], show_default=True)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default=RESULTS)
def main(seconds: float, largest: int, output: Path) -> None:
    """Measure, print and save."""
    console = Console(soft_wrap=True)
    torch.set_num_threads(1)  # more of them wait for each other wherever cores are shared
    scaled = []  # first, while nothing else is in memory
    for scale in scales(seconds, [width for width in WIDTHS if width <= largest]):
        scaled.append(scale)
        console.print(f"{scale.neurons:,} neurons: compiled in {scale.compile_seconds:.2f} s")
    measured = []
    for speed in speeds(seconds):
        measured.append(speed)
        console.print(f"{speed.unit}, {speed.engine}: {speed.evaluations_per_second:.3g} a second")
    heading = f"Evaluations a second; {_machine()}; {date.today()}."
    text = "\n\n".join(
        (
            heading,
            markdown(speed_table(measured)),
            "The bit-sliced engine on array multipliers, on one core:",
            markdown(scale_table(scaled)),
        )
    )
    console.print(text, markup=False)
    output.mkdir(parents=True, exist_ok=True)
    record = {
        "machine": _machine(),
        "date": str(date.today()),
        "speeds": list(map(asdict, measured)),
        "scales": list(map(asdict, scaled)),
    }
    (output / "simulation_speed.json").write_text(json.dumps(record, indent=1) + "\n")
    (output / "simulation_speed.md").write_text(f"# Speed of simulation\n\n{text}\n")
    plot(measured, scaled).savefig(output / "simulation_speed.png", dpi=120)


if __name__ == "__main__":
    main()
