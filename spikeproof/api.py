"""The calls behind the commands, prove, check, exhaust and verify; and the specs, to be called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.catalogue import require_fitting, select, theorem
from spikeproof.prover.claims.obligation import (
    DEFAULT_TIMEOUT,
    Obligation,
    equivalence,
)
from spikeproof.prover.evidence.record import Record
from spikeproof.specs.integers import Buses

if TYPE_CHECKING:
    import torch

    from spikeproof.circuits.doors.buses import Order, Widths
    from spikeproof.circuits.doors.sources import Interface
    from spikeproof.prover.refutation.exhaustion import Exhausted
    from spikeproof.prover.running.checks import Question
    from spikeproof.prover.running.reference_model import ReferenceModel
    from spikeproof.prover.running.spiking_linear import Like, SpikingLinear
    from spikeproof.prover.running.straight_through import StraightThrough
    from spikeproof.prover.running.verify import VerifiedLog

Spec = Callable[..., Buses]
"""What a circuit is to compute: from its input buses, as bit-vectors of pySMT, its output buses by name.

It takes one mapping of the input buses, or each as an argument of its name.
"""


def theorems(pattern: str = "*") -> list[Obligation]:
    """The promised theorems whose name matches a shell glob, such as ``fp8_e4m3fn.multiply.*``.

    Raises:
        CatalogueError: if there is none; the message names those that come closest.
    """
    return select(pattern)


def prove(claim: str | Obligation, *, timeout: float = DEFAULT_TIMEOUT, jobs: int = 1) -> Record:
    """Discharge a theorem of its own circuit, or an obligation of yours. Nothing is written.

    Args:
        claim: a theorem's name, or an obligation.
        timeout: seconds that it may take.
        jobs: processes for its lemmas.

    Returns:
        A record, whose ``outcome`` says what came of it, and whose ``message`` shows a counterexample.
        Where that was not promised ``nearest`` names the theorem of another mode, policy or convention
        that the circuit comes nearest to, if there is one, and the message says how near; to look for
        it may take a minute or two more.

    Raises:
        CatalogueError: if there is no theorem of that name.
        EngineError: if an engine that it promises is not installed.
    """
    return _discharged(_obligation(claim), timeout, jobs)


def check(
    circuit: Netlist | Path | str,
    claim: str | Obligation | Spec | Netlist,
    *,
    inputs: Mapping[str, int] | None = None,
    outputs: Mapping[str, int] | None = None,
    order: Order = "lsb",
    steps: int | None = None,
    reset: bool = False,
    pure: bool = False,
    reading: str | None = None,
    axes: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    jobs: int = 1,
) -> Record:
    """Decide whether a circuit is what a claim says, on every input. Nothing is written.

    Args:
        circuit: with the buses that the claim names; or where it is, as ``spikeproof check`` takes it: a
            file, or ``package.module:factory``, whose buses are then fitted to the claim's. A PyTorch
            module, or a graph of NIR, is given the claim's buses if none are declared.
        claim: a theorem's name or an obligation, of which the circuit takes the place of its own; or
            another circuit; or a function that says what the circuit's outputs should be, of formulas,
            or as ``specification`` declares it, here or as ``package.module:function``.
        inputs, outputs, order: how the circuit's bits are to be read, as of ``spikeproof check``; a
            netlist's buses are fitted only if one of these is said.
        steps, reset, pure, reading, axes: of a circuit that is read: see ``--time``, ``--reset``,
            ``--pure``, ``--as`` and ``--axes`` of ``spikeproof check``.
        timeout: seconds that it may take; of code of users, for each time that it is run.
        jobs: processes for its lemmas.

    Returns:
        A record, as of ``prove``; its ``message`` may also say why the claim could not be stated. It is
        unknown where a function of values or bits has too many inputs to be proved, and none was found
        that fails.

    Raises:
        CatalogueError: if there is no theorem of that name.
        TypeError: if the circuit is no netlist, or the claim none of these.
        NetlistError: if the circuit cannot be read, has other buses than the claim, or a function fails.
        EngineError: if an engine that is needed is not installed.
    """
    from spikeproof.circuits.doors.sources import Interface
    from spikeproof.prover.running.checks import decide

    interface = Interface(inputs, outputs, order, steps, reset, pure, reading, axes)
    question = _question(circuit, interface, claim, timeout)
    return decide(
        question, lambda each: _discharged(each, timeout, jobs, question.circuit), timeout
    ).record


def _question(
    circuit: Netlist | Path | str,
    interface: Interface,
    claim: str | Obligation | Spec | Netlist,
    seconds: float,
) -> Question:
    """What is to be decided."""
    from spikeproof.circuits.doors.apart import NAMED, Limits
    from spikeproof.circuits.doors.sources import Interface, read_source
    from spikeproof.prover.running import checks
    from spikeproof.prover.running.functions import SpecFunction
    from spikeproof.prover.running.specifications import Specification

    if not isinstance(circuit, Netlist | Path | str):
        raise TypeError(f"a circuit is a Netlist, as `read_json` gives; {circuit!r} is none")
    if not isinstance(circuit, Netlist):
        interface.require_use(str(circuit))

    def read(inputs: Widths | None, outputs: Widths | None) -> tuple[Netlist, Interface]:
        if isinstance(circuit, Netlist):
            return circuit, interface
        return read_source(str(circuit), interface, Limits(seconds=seconds), inputs, outputs)

    if isinstance(claim, Netlist):
        return checks.by_circuit(read, claim, "the other circuit")
    if isinstance(claim, Specification):
        return checks.by_function(read, SpecFunction.here(claim), lambda: seconds)
    if isinstance(claim, str) and NAMED.fullmatch(claim):
        function = SpecFunction.apart(claim, Limits(seconds=seconds))
        return checks.by_function(read, function, lambda: seconds)
    if callable(claim):
        netlist, _ = read(None, None)
        return checks.Question(netlist, _stated(netlist, claim))
    obligation = _obligation(claim)
    if isinstance(circuit, Netlist) and interface == Interface():  # it has the theorem's buses
        return checks.Question(circuit, obligation)
    return checks.by_theorem(read, obligation)


def _discharged(
    obligation: Obligation, timeout: float, jobs: int, circuit: Netlist | None = None
) -> Record:
    from spikeproof.prover.running.discharge import discharge
    from spikeproof.prover.running.neighbours import with_nearest

    return with_nearest(discharge(obligation, timeout, circuit, jobs), obligation, circuit)


def exhaust(
    claim: str | Obligation,
    circuit: Netlist | None = None,
    *,
    threads: int = 1,
    device: str | None = None,
) -> Exhausted:
    """Compare a circuit with its spec on every single input. Nothing is written.

    Args:
        claim: a theorem's name, or an obligation.
        circuit: to be enumerated instead of the theorem's own; of at most 32 input bits.
        threads: to use.
        device: of PyTorch's, such as ``cuda``, where to do it, if not in machine code.

    Returns:
        A record, with the number of ``failures`` and the first of them.

    Raises:
        CatalogueError: if there is no theorem of that name.
        NetlistError: if the circuit has other buses than the theorem's own.
        ExhaustionError: if there are too many inputs, or no such device.
    """
    from spikeproof.prover.refutation.exhaustion import SPEC, enumerable_circuit, enumerate_all

    obligation = _obligation(claim)
    own = enumerable_circuit(obligation)
    if circuit:
        require_fitting(obligation, circuit)
    return enumerate_all(obligation, circuit or own, (SPEC,), threads, device=device)


def reference_model(claim: str | Obligation) -> ReferenceModel:
    """The spec of a theorem as a function of arrays: what any unit should give, flags included.

    ``reference_model("fp16.add.rne.flags")({"x": xs, "y": ys})`` is ``{"result": ..., "flags": ...}``,
    as codes. It takes a moment to make, and evaluates millions of inputs a second.

    Args:
        claim: a theorem's name, or an obligation.

    Raises:
        CatalogueError: if there is no theorem of that name.
        ValueError: if it is not about what a circuit's outputs should be.
    """
    from spikeproof.prover.running.reference_model import ReferenceModel

    return ReferenceModel(_obligation(claim))


def from_torch(layer: torch.nn.Linear, *, like: Like) -> SpikingLinear:
    """A linear layer of PyTorch as spiking neurons that take each sum in an order.

    What its neurons compute is a theorem: sums in that order, for all inputs, weights and biases. That
    PyTorch takes sums in it is not: it was measured, for a shape, a machine and a number of threads.

    Args:
        layer: of float16, bfloat16, float32 or float64.
        like: what ``revealed_order`` gives of the layer's kernel; or how sums are to be taken.

    Raises:
        StatementError: if the order is not of such sums, did not hold when it was tested, or there are
            no units for it; one line.
    """
    from spikeproof.proofs.programs import theorem_of
    from spikeproof.prover.running.spiking_linear import FORMATS, SpikingLinear, codes_of, way_of

    way, fmt = way_of(layer, like), FORMATS[str(layer.weight.dtype)]
    bias = None if layer.bias is None else codes_of(layer.bias).copy()
    theorem = theorem_of(way, layer.out_features, fmt.name)
    return SpikingLinear(fmt, way, codes_of(layer.weight).copy(), bias, theorem)


def straight_through(layer: torch.nn.Linear, *, like: Like | Mapping[int, Like]) -> StraightThrough:
    """A linear layer to be trained: neurons give its results, PyTorch's own kernels its gradients.

    Its parameters are the layer's own. If PyTorch takes sums in the order given, its results are
    PyTorch's bit by bit, and so is all that training makes of them.

    Args:
        layer: as ``from_torch`` takes it.
        like: as ``from_torch`` takes it; or one for each number of rows of inputs, as kernels take sums
            otherwise for another: other numbers of rows are refused then.

    Raises:
        StatementError: as ``from_torch``.
    """
    from spikeproof.prover.running.straight_through import StraightThrough

    ways = like.items() if isinstance(like, Mapping) else [(None, like)]
    return StraightThrough(layer, {rows: from_torch(layer, like=way) for rows, way in ways})


def verify(log: Path | str, circuit: Netlist | None = None, *, jobs: int = 1) -> VerifiedLog:
    """Check a proof log again, without any of the engines that wrote it.

    Args:
        log: its directory.
        circuit: that the log is about, if one was given instead of the theorems' own.
        jobs: processes to use.

    Returns:
        What of it holds, and in ``refusals`` a line for all that speaks against it.

    Raises:
        LogError: if there is no log.
    """
    from spikeproof.prover.running.verify import verify_log

    return verify_log(Path(log), circuit, jobs=jobs)


def _obligation(claim: str | Obligation) -> Obligation:
    if isinstance(claim, Obligation):
        return claim
    if isinstance(claim, str):
        return theorem(claim)
    kinds = "a theorem's name, an obligation, or, for a circuit of yours, a function"
    raise TypeError(f"a claim is {kinds}; {claim!r} is none")


def _stated(circuit: Netlist, spec: Spec) -> Obligation:
    """The obligation that a circuit is what a function says."""
    name = getattr(spec, "__name__", "spec").strip("<>")
    described = (inspect.getdoc(spec) or f"what {name} says").splitlines()[0].rstrip(".")
    return equivalence(name, described, lambda: circuit, spec, function=described)
