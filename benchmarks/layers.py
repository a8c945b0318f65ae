"""Layers in neurons: operations a second and core, the time of a large layer on one token, and memory.

python -m benchmarks.layers
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

import numpy as np

from spikeproof.circuits.programs.running import Neurons
from spikeproof.proofs.programs import layer_named
from spikeproof.prover.claims.programs import unit_named
from spikeproof.prover.running.programs import Machine, units_of
from spikeproof.specs.formats import format_named
from spikeproof.specs.programs import Array, Codes, apply, evaluate, module

COUNT = 1 << 22
"""Of each operation."""

OPERATIONS = (
    "fp32.fma.rne",
    "fp32.multiply.rne",
    "fp32.add.rne",
    "fp32.fma.rne.compact",
    "fp16.fma.rne",
)

LAYERS = (
    "4096x4096.sequential",
    "4096x4096.sequential.fused",
    "4096x4096.pairwise",
    "4096x4096.lanes16.fused.from_zero.bias_last",
)


def drawn(array: Array) -> Codes:
    """Normal numbers of an array's format, as codes."""
    fmt = format_named(array.kind)
    numbers = np.random.default_rng(1).standard_normal(array.shape)
    return numbers.astype(f"f{fmt.width // 8}").view(f"u{fmt.width // 8}")


def operations() -> Iterator[str]:
    """Through arrays, on one core."""
    for name in OPERATIONS:
        unit = unit_named(name)
        inputs = {bus: Array(kind, (COUNT,)) for bus, kind in unit.operands.items()}
        program = module(name, inputs, lambda *x, unit=unit, name=name: apply(name, unit.kind, *x))
        neurons = Neurons(program, {name: unit.netlist}, threads=1)
        given = [drawn(array) for array in inputs.values()]
        evaluate(program, given, neurons)
        started = time.process_time()
        evaluate(program, given, neurons)
        yield f"{name}: {COUNT / (time.process_time() - started):.2g} a second and core"


def layers() -> Iterator[str]:
    """On one token, on all cores, compared with the machine."""
    for name in LAYERS:
        layer = layer_named(f"program.fp32.linear.rne.{name}")
        assert layer
        program = layer.circuit()
        given = [drawn(array) for array in program.inputs.values()]
        neurons = Neurons(program, units_of(program))
        started, cpu = time.perf_counter(), time.process_time()
        (found,) = evaluate(program, given, neurons)
        taken, cpu = time.perf_counter() - started, time.process_time() - cpu
        (wanted,) = evaluate(program, given, Machine())
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        differing = f"{np.sum(found != wanted)} of {found.size} differ from the machine's"
        yield f"{name}: {taken:.2f} s, {cpu:.2f} s of CPU, {differing}; up to {memory} MiB so far"


if __name__ == "__main__":
    for line in (*operations(), *layers()):
        print(line, flush=True)
