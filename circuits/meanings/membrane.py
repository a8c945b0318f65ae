"""Executable meaning of a netlist as membrane potentials over time, for batches of inputs.

Each evaluation every neuron integrates its input once, in topological order:

    V = beta * V + sum(w * x) + bias + noise;   S = [V >= threshold];   V = V - threshold * S  (soft)
                                                                        V = 0 where S          (hard)

(arXiv 2512.07724 and 2601.21279.) With the potentials cleared between evaluations and no noise this
is the neuron's logical meaning; without clearing, residual potential carries over.

All is done in float64, in which sums of integers and of dyadic fractions are exact below 2^53 units of
the smallest; one operation at a time, in the order of the synapses, so that it is the same on every
processor. One loop in machine code runs through the neurons of any netlist, some samples at a time; the
noise is NumPy's (SFC64, ziggurat).
"""

from __future__ import annotations

import ctypes
import hashlib
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikeproof.circuits.meanings.bitsliced import cores
from spikeproof.circuits.meanings.boolean import Words, pack_words, unpack_words
from spikeproof.circuits.meanings.native import Native
from spikeproof.circuits.netlist import Netlist, Weight
from spikeproof.circuits.physics.substrates import Reset, Substrate, SubstrateError

EXACT_INTEGERS = 1 << 53
"""Integers of smaller magnitude are exact in float64."""

GROUP = 1024
"""Samples that share a stream of noise, and are simulated together."""

SLICE = 32
"""Neurons whose noise is drawn at a time: so few that it stays in the processor's cache."""

LANES = 32
"""Samples for which the machine code does one operation."""


@dataclass(frozen=True)
class Membrane:
    """Physical parameters of a simulation, shared by all neurons.

    Args:
        beta: share of the potential kept from one evaluation to the next, 0 to 1.
        noise: standard deviation of the Gaussian noise on the input, in units of the weights.
        reset: what firing does to the potential.
        clear: whether potentials return to zero before each evaluation.
        threshold_spread, weight_spread: each threshold and weight is off by a share of itself that is
            drawn once, evenly, of at most so much.

    Raises:
        ValueError: if a parameter is out of range.
    """

    beta: float = 1.0
    noise: float = 0.0
    reset: Reset = Reset.SOFT
    clear: bool = True
    threshold_spread: float = 0.0
    weight_spread: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.beta <= 1:
            raise ValueError(f"beta is {self.beta}; use a number between 0 and 1")
        if not (self.noise >= 0 and math.isfinite(self.noise)):
            raise ValueError(f"noise is {self.noise}; use a finite standard deviation of at least 0")
        for name in ("threshold_spread", "weight_spread"):
            if not (getattr(self, name) >= 0 and math.isfinite(getattr(self, name))):
                raise ValueError(f"{name} is {getattr(self, name)}; use a finite share of at least 0")

    @classmethod
    def of(
        cls, substrate: Substrate, reset: Reset = Reset.SOFT, *, clear: bool = True, **values: object
    ) -> Membrane:
        """The parameters of neurons on a substrate, those that are not named being ideal.

        Raises:
            SubstrateError: if the substrate has no such parameter or reset, or not of that value, or
                no evaluations.
        """
        if not substrate.clocked:
            raise SubstrateError(
                f"{substrate.name} neurons have no evaluations: name a period, and take Membrane with "
                "beta = exp(-period / tau)"
            )
        exact = {name: float(value) for name, value in substrate.values(**values).items()}
        noise = exact.pop("sigma", 0.0)
        return cls(noise=noise, reset=substrate.require(reset), clear=clear, **exact)


def chance(*numbers: int) -> np.random.Generator:
    """The source of chance that belongs to these numbers."""
    digest = hashlib.sha256(" ".join(map(str, numbers)).encode()).digest()
    return np.random.Generator(np.random.SFC64(list(digest)))


def _exact_float(value: Weight) -> float:
    if value.denominator & (value.denominator - 1) or abs(value.numerator) >= EXACT_INTEGERS:
        raise ValueError(
            f"{value} is not exact in float64; scale the neuron so that its weights and "
            "threshold are integers or dyadic fractions"
        )
    return float(value)


@dataclass(frozen=True)
class _Table:
    """The neurons of a netlist as they are made, one after the other."""

    bounds: NDArray[np.int64]  # where each neuron's synapses begin, and at last where they end
    sources: NDArray[np.int64]
    weights: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    biases: NDArray[np.float64]

    @classmethod
    def of(cls, netlist: Netlist, membrane: Membrane, seed: int) -> _Table:
        """With weights and thresholds off, as far as the membrane's are."""
        drawn = chance(seed)

        def numbers(values: list[float], spread: float = 0.0) -> NDArray[np.float64]:
            nominal = np.array(values, dtype=np.float64)
            return nominal * (1 + spread * drawn.uniform(-1, 1, nominal.shape)) if spread else nominal

        neurons = netlist.neurons
        synapses = [synapse for neuron in neurons for synapse in neuron.synapses]
        return cls(
            np.cumsum([0, *(len(neuron.synapses) for neuron in neurons)], dtype=np.int64),
            np.array([source for source, _ in synapses], dtype=np.int64),
            numbers([_exact_float(weight) for _, weight in synapses], membrane.weight_spread),
            numbers([_exact_float(n.threshold) for n in neurons], membrane.threshold_spread),
            numbers([_exact_float(neuron.bias) for neuron in neurons]),
        )


class MembraneSimulator:
    """Evaluates a netlist on batches of inputs, keeping every neuron's potential between calls.

    A batch is taken in groups of ``GROUP`` samples. Their noise depends on the seed, on how many
    evaluations there were before, and on the group's number alone: so the outcome is the same on any
    number of threads, and a larger batch begins with a smaller one.

    Args:
        netlist: what to simulate.
        membrane: physical parameters.
        seed: of noise and spreads; equal seeds give equal runs.
        threads: how many to use; None for one on each core. For each there is a group in memory.

    Attributes:
        spike_counts: for each neuron how often it fired, in all evaluations and samples since it was
            made or ``clear`` was called; shape (neurons,).

    Raises:
        ValueError: if a weight or threshold is not exact in float64.
    """

    def __init__(
        self,
        netlist: Netlist,
        membrane: Membrane = Membrane(),
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        self._netlist = netlist
        self._membrane = membrane
        self._seed, self._evaluations = seed, 0
        self._threads = threads or cores()
        self._table = _Table.of(netlist, membrane, seed)
        self._step = _step(not membrane.clear, bool(membrane.noise), membrane.reset)
        self.clear()

    def with_seed(self, seed: int) -> MembraneSimulator:
        """Another simulator of the same circuit, at rest, with noise of its own."""
        other = copy(self)
        other._seed, other._evaluations = seed, 0
        other.clear()
        return other

    def clear(self) -> None:
        """Return every potential to zero, and every count of spikes; noise goes on."""
        self._batch: int | None = None
        self._potentials: NDArray[np.float64] | None = None
        self.spike_counts = np.zeros(len(self._netlist.neurons), dtype=np.int64)

    def evaluate(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """One evaluation of the circuit, on a batch.

        Args:
            inputs: for each input bus its bits as a boolean tensor of shape (width, batch), least
                significant bit first.

        Returns:
            The output buses, likewise.

        Raises:
            ValueError: if a bus is missing, unknown or of another width, or the batch changes
                while potentials are kept.
        """
        buses = self._netlist.outputs
        fired = self._fired(inputs, [signal for bus in buses.values() for signal in bus])
        split = np.split(fired, np.cumsum([len(bus) for bus in buses.values()])[:-1])
        return {name: torch.from_numpy(rows) for name, rows in zip(buses, split, strict=True)}

    def evaluate_words(self, inputs: Mapping[str, Words]) -> dict[str, Words]:
        """As ``evaluate``, of unsigned integers, as other simulators take and give them."""
        widths = self._netlist.inputs
        bits = {
            name: torch.from_numpy(unpack_words(words, widths[name])) for name, words in inputs.items()
        }
        return {name: pack_words(found.numpy()) for name, found in self.evaluate(bits).items()}

    def evaluate_signals(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """As ``evaluate``; all signals as a boolean tensor of shape (signal_count, batch)."""
        return torch.from_numpy(self._fired(inputs, range(self._netlist.signal_count)))

    def _fired(self, inputs: Mapping[str, Tensor], signals: Sequence[int]) -> NDArray[np.bool_]:
        """Some signals after one evaluation; shape (signals, batch)."""
        given = self._bits(inputs)
        batch = given.shape[1]
        groups = range(-(-batch // GROUP))
        self._require_batch(batch, len(groups))
        found = np.empty((len(signals), batch), dtype=bool)

        def run(group: int) -> NDArray[np.int64]:
            part = slice(group * GROUP, (group + 1) * GROUP)
            spikes, counts = self._group(group, given[:, part])
            found[:, part] = np.unpackbits(spikes[signals], axis=1, bitorder="little")[
                :, : batch - part.start
            ]
            return counts

        with ThreadPoolExecutor(self._threads) as pool:
            for counts in pool.map(run, groups):
                self.spike_counts += counts
        self._evaluations += 1
        return found

    def _bits(self, inputs: Mapping[str, Tensor]) -> NDArray[np.bool_]:
        widths = {name: bits.shape[0] for name, bits in inputs.items()}
        if widths != dict(self._netlist.inputs):
            raise ValueError(f"inputs have widths {widths}; the netlist has {self._netlist.inputs}")
        return np.concatenate([inputs[name].bool().numpy() for name in self._netlist.inputs])

    def _require_batch(self, batch: int, groups: int) -> None:
        """A potential for each neuron and sample, if potentials are kept.

        Raises:
            ValueError: if there are potentials of another batch.
        """
        if self._membrane.clear:
            return
        if self._potentials is None:
            shape = groups, len(self._netlist.neurons), GROUP
            self._batch, self._potentials = batch, np.zeros(shape)
        if self._batch != batch:
            raise ValueError("the batch size changed while potentials are kept; call clear() first")

    def _group(
        self, number: int, given: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The spikes of all signals, a bit for each sample of a group; and of each neuron their number.

        Args:
            given: the input bits of the samples, shape (bits, samples).
        """
        table, membrane, first = self._table, self._membrane, self._netlist.input_count
        neurons = len(table.thresholds)
        spikes = np.zeros((first + neurons, GROUP // 8), dtype=np.uint8)
        packed = np.packbits(given, axis=1, bitorder="little")
        spikes[:first, : packed.shape[1]] = packed
        real = np.packbits(np.arange(GROUP) < given.shape[1], bitorder="little")
        counts = np.zeros(neurons, dtype=np.int64)
        noise = np.empty((SLICE, GROUP) if membrane.noise else 0)
        drawn = chance(self._seed, self._evaluations, number)
        potentials = noise if self._potentials is None else self._potentials[number]
        arrays = (*vars(table).values(), spikes, real, counts, potentials, noise)
        pointers = [array.ctypes.data for array in arrays]
        for start in range(0, neurons, SLICE):
            if membrane.noise:
                drawn.standard_normal(out=noise)
            count = min(SLICE, neurons - start)
            self._step(*pointers, first, start, count, membrane.beta, membrane.noise)
        return spikes, counts


# --- machine code -------------------------------------------------------------------------------

_VECTOR, _MASK = f"<{LANES} x double>", f"<{LANES} x i1>"


@cache
def _step(keeps: bool, noisy: bool, reset: Reset) -> Any:
    """The function that takes some neurons of a group through one evaluation.

    Args:
        keeps: whether potentials are kept, so that they leak and are reset.
        noisy: whether there is noise.
    """
    native = Native(_step_text(keeps, noisy, reset))
    pointers, numbers = [ctypes.c_void_p] * 10, [ctypes.c_int64] * 3
    step = native.function("step", None, *pointers, *numbers, ctypes.c_double, ctypes.c_double)
    step.native = native  # the code is there as long as this is
    return step


def _step_text(keeps: bool, noisy: bool, reset: Reset) -> str:
    drive = "drive" if noisy else "sum"
    potential = "integrated" if keeps else drive
    disturbed = f"""
  {_row("deviates", "noise", "i")}
  {_load("deviate", _VECTOR, "deviates", "j")}
  %disturbance = fmul {_VECTOR} %deviate, %sigmas
  %drive = fadd {_VECTOR} %sum, %disturbance"""
    leaked = f"""
  {_row("kept", "potentials", "neuron")}
  {_load("potential", _VECTOR, "kept", "j")}
  %left = fmul {_VECTOR} %potential, %betas
  %integrated = fadd {_VECTOR} %left, %{drive}"""
    rested = f"""
  %excess = fsub {_VECTOR} %integrated, %limits
  %rest = select {_MASK} %fires, {_VECTOR} {"%excess" if reset is Reset.SOFT else "zeroinitializer"}, \
{_VECTOR} %integrated
  store {_VECTOR} %rest, ptr %potential.place, align 8"""
    return f"""
define void @step(ptr %bounds, ptr %sources, ptr %weights, ptr %thresholds, ptr %biases, ptr %spikes,
                  ptr %real, ptr %counts, ptr %potentials, ptr %noise,
                  i64 %inputs, i64 %start, i64 %count, double %beta, double %sigma) {{
entry:
  {_splat("betas", "beta")}
  {_splat("sigmas", "sigma")}
  br label %each
each:
  %i = phi i64 [0, %entry], [%i.next, %done]
  %neuron = add i64 %start, %i
  %signal = add i64 %inputs, %neuron
  %after = add i64 %neuron, 1
  {_load("first", "i64", "bounds", "neuron")}
  {_load("end", "i64", "bounds", "after")}
  {_load("threshold", "double", "thresholds", "neuron")}
  {_splat("limits", "threshold")}
  {_load("bias", "double", "biases", "neuron")}
  {_splat("constant", "bias")}
  %driven = icmp ult i64 %first, %end
  {_row("own", "spikes", "signal", bits=1)}
  br label %samples
samples:
  %j = phi i64 [0, %each], [%j.next, %decided]
  %counted = phi i64 [0, %each], [%count.next, %decided]
  br i1 %driven, label %synapse, label %decided
synapse:
  %s = phi i64 [%first, %samples], [%s.next, %synapse]
  %partial = phi {_VECTOR} [%constant, %samples], [%weighted, %synapse]
  {_load("source", "i64", "sources", "s")}
  {_load("weight", "double", "weights", "s")}
  {_splat("weight.all", "weight")}
  {_row("others", "spikes", "source", bits=1)}
  {_load("spike", _MASK, "others", "j")}
  %more = fadd {_VECTOR} %partial, %weight.all
  %weighted = select {_MASK} %spike, {_VECTOR} %more, {_VECTOR} %partial
  %s.next = add i64 %s, 1
  %s.more = icmp ult i64 %s.next, %end
  br i1 %s.more, label %synapse, label %decided
decided:
  %sum = phi {_VECTOR} [%constant, %samples], [%weighted, %synapse]{disturbed if noisy else ""}\
{leaked if keeps else ""}
  %fires = fcmp oge {_VECTOR} %{potential}, %limits{rested if keeps else ""}
  {_load("sample", _MASK, "real", "j")}
  %fired = and {_MASK} %fires, %sample
  %fired.bits = bitcast {_MASK} %fired to i{LANES}
  %fired.place = getelementptr i{LANES}, ptr %own, i64 %j
  store i{LANES} %fired.bits, ptr %fired.place, align 4
  %ones = call i{LANES} @llvm.ctpop.i{LANES}(i{LANES} %fired.bits)
  %wide = zext i{LANES} %ones to i64
  %count.next = add i64 %counted, %wide
  %j.next = add i64 %j, 1
  %j.more = icmp ult i64 %j.next, {GROUP // LANES}
  br i1 %j.more, label %samples, label %done
done:
  %count.place = getelementptr i64, ptr %counts, i64 %neuron
  store i64 %count.next, ptr %count.place, align 8
  %i.next = add i64 %i, 1
  %i.more = icmp ult i64 %i.next, %count
  br i1 %i.more, label %each, label %return
return:
  ret void
}}
declare i{LANES} @llvm.ctpop.i{LANES}(i{LANES})
"""


def _load(name: str, kind: str, base: str, index: str) -> str:
    """An element of an array."""
    return f"""%{name}.place = getelementptr {kind}, ptr %{base}, i64 %{index}
  %{name} = load {kind}, ptr %{name}.place, align {4 if kind == _MASK else 8}"""


def _row(name: str, base: str, index: str, bits: int = 64) -> str:
    """Where a row of so many bits for each sample begins."""
    return f"%{name} = getelementptr [{GROUP * bits // 8} x i8], ptr %{base}, i64 %{index}"


def _splat(name: str, number: str) -> str:
    """A vector of equal numbers."""
    return f"""%{name}.one = insertelement {_VECTOR} poison, double %{number}, i64 0
  %{name} = shufflevector {_VECTOR} %{name}.one, {_VECTOR} poison, <{LANES} x i32> zeroinitializer"""
