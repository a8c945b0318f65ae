"""Netlists from PyTorch modules as they are: their code runs once, on symbolic bits."""

from __future__ import annotations

import copy
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors import json as doors_json
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist, NetlistBuilder, NetlistError, Neuron

if TYPE_CHECKING:
    import torch

    from spikeproof.circuits.doors.affine_forms import Forms
    from spikeproof.circuits.doors.symbolic_tensors import Compared, Tracer

SAMPLED_INPUTS = 4096
"""How many inputs an imported module is compared on; all of them if there are no more."""

SINGLE_ROWS = 256
"""How many of these also by themselves, not in a batch."""

AFFORDED_OPERATIONS = 50_000
"""Of a module with more operations or signals fewer rows are run by themselves: so many in all."""

AFFORDED_SIGNALS = 1 << 26
"""Of a module with more comparisons fewer inputs are compared: so many values of spikes in all."""

MOST_PURSUED = 512
"""For so many neurons that do the same on all these inputs others are made, to change them."""

LISTED = 20
"""So many places of what is no neuron are listed."""

AXES = ("nb", "b", "tnb", "ntb", "tb")
PRESENTED = ("held", "first", "fresh")

NOTE = (
    "imported from PyTorch {version}: {name} ran once on symbolic bits, {comparisons:,} comparisons "
    "with thresholds; {time}; module and netlist were compared on {which}, {rows:,} row by row"
    "{batch}{unmoved}{thresholds}: that the module does the same in all else is assumed"
)

REMEDY = "choose weights and leaks of fewer bits, or use module.double()"

RESETS = ("reset", "reset_mem")
"""Methods by which modules return to rest, in SpikingJelly and in snnTorch."""


@dataclass(frozen=True)
class Calling:
    """How a module is called, and what its tensors mean: see ``from_module``."""

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    steps: int = 1
    order: str = "lsb"
    axes: str = "nb"
    presented: str = "held"
    reset: bool = False
    pure: bool = False

    def __post_init__(self) -> None:
        choices = {"order": ("lsb", "msb"), "axes": AXES, "presented": PRESENTED}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise NetlistError(f"{name} is {getattr(self, name)!r}; use one of {', '.join(known)}")
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise NetlistError(f"steps is {self.steps!r}; use a positive integer")
        for name, width in (*self.inputs.items(), *self.outputs.items()):
            if isinstance(width, bool) or not isinstance(width, int) or width < 1:
                raise NetlistError(f"{name!r} has width {width!r}; use a positive integer")
        if not self.inputs or not self.outputs:
            raise NetlistError("name at least one input bus and one output bus, with their widths")

    @property
    def from_rest(self) -> bool:
        """Whether the module is reset before every call, or before several steps."""
        return self.reset or self.steps > 1

    @property
    def each_step(self) -> bool:
        """Whether every step has inputs and outputs of its own."""
        return self.presented == "fresh" and self.steps > 1

    @property
    def buses(self) -> dict[str, int]:
        """The netlist's input buses."""
        if not self.each_step:
            return dict(self.inputs)
        return {f"{name}.{t}": w for t in range(self.steps) for name, w in self.inputs.items()}

    @property
    def time(self) -> str:
        """In words, what time means."""
        if self.steps == 1:
            start = "reset before every call, as declared" if self.reset else "no state between calls"
            return f"one call, {start}"
        given = {
            "held": "inputs held, outputs of the last",
            "first": "inputs in the first and 0 after it, outputs of the last",
            "fresh": "each with its own inputs and outputs",
        }
        return f"{self.steps} time steps from rest, {given[self.presented]}"


def from_module(
    module: Callable[..., Any],
    inputs: Mapping[str, int],
    outputs: Mapping[str, int],
    *,
    steps: int = 1,
    order: str = "lsb",
    axes: str = "nb",
    presented: str = "held",
    reset: bool = False,
    pure: bool = False,
) -> Netlist:
    """The netlist of a PyTorch module of threshold neurons, in this process.

    ``forward`` runs once on symbolic bits. Every comparison becomes a neuron; what is compared must be
    sums of weighted spikes that floating point does not round, weights as stored. What is no neuron (a
    product of two spikes, ``where`` on a spike, a gate, a table) is modelled exactly where that can be
    done and listed in ``notes`` with file and line. The module is copied, and left as it is. Then copies
    are run beside the netlist, on every input or on a sample; ``notes`` say on which.

    Args:
        module: a ``torch.nn.Module``, or any function of tensors.
        inputs: width of each input bus. ``forward`` takes a tensor for each, or one of all bits.
        outputs: width of each output bus. ``forward`` returns a dictionary by their names, a tuple of a
            tensor for each, or one tensor of all bits; of another tuple, such as spikes and state, the
            first counts.
        steps: how many time steps, beginning at rest.
        order: "lsb" if a bus's first bit is its least significant one, or "msb".
        axes: of tensors: n a batch, t time, b bits.
        presented: inputs are "held" in all steps, or given in the "first" alone, and outputs are
            those of the last step; or every step has "fresh" ones, buses ``x.0``, ``x.1``, ...
        reset: that the module is reset before every call; else one that remembers is refused. It is
            reset as ``RESETS`` say, where its parts have these methods; and so before several steps.
        pure: refuse what is no neuron.

    Raises:
        NetlistError: one line that says what cannot be imported and where it stands.
    """
    calling = Calling(dict(inputs), dict(outputs), steps, order, axes, presented, reset, pure)
    name = getattr(module, "__name__", type(module).__name__)
    return imported(lambda: _copied(module), calling, name)


def _copied(module: Callable[..., Any]) -> Callable[..., Any]:
    import torch

    return copied(module) if isinstance(module, torch.nn.Module) else module


class FailingError(NetlistError):
    """Foreign code that raises something."""


@contextmanager
def failing(name: str) -> Iterator[None]:
    """Whatever foreign code raises, in one line; what is ours as it is."""
    try:
        yield
    except NetlistError:
        raise  # which says what to do
    except Exception as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise FailingError(f"{name} fails: {said}; mend it, or leave it out") from None


def copied(module: torch.nn.Module) -> torch.nn.Module:
    """A deep copy. What a module keeps of an earlier run is copied too, without how it came about.

    Raises:
        NetlistError: if the module cannot be copied.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    class Detaching(TorchFunctionMode):  # PyTorch itself refuses to copy a tensor that was computed
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.Tensor.__deepcopy__ and not args[0].is_leaf:
                return args[0].detach().clone()
            return func(*args, **(kwargs or {}))

    with failing(f"copying {type(module).__name__}"), Detaching():
        return copy.deepcopy(module)


def _at_rest(module: Callable[..., Any]) -> Callable[..., Any]:
    """A module, reset by what its parts have for that."""
    import torch

    parts = module.modules() if isinstance(module, torch.nn.Module) else ()
    resets = [getattr(part, name, None) for part in parts for name in RESETS]
    with failing(f"resetting {type(module).__name__}"):
        for reset in resets:
            if callable(reset) and not _parameters(reset)[0]:
                reset()
    return module


def imported(make: Callable[[], Callable[..., Any]], calling: Calling, name: str) -> Netlist:
    """The netlist of what ``make`` makes afresh, compared with it.

    Raises:
        NetlistError: as ``from_module``.
    """
    if calling.from_rest:
        return _imported(lambda: _at_rest(make()), calling, name)
    return _imported(make, calling, name)


def _imported(make: Callable[[], Callable[..., Any]], calling: Calling, name: str) -> Netlist:
    import torch

    from spikeproof.circuits.doors.symbolic_tensors import Tracer

    builder = NetlistBuilder()
    signals = {bus: builder.input(bus, width) for bus, width in calling.buses.items()}
    guard = not calling.from_rest
    again = {bus: builder.input(f"{bus}.again", width) for bus, width in signals_width(signals, guard)}
    tracer = Tracer(builder)
    module = make()
    found = _traced(tracer, module, calling, signals, name)
    begins = _beginning(tracer, module, make()) if calling.from_rest else ""
    compared = tuple(tracer.compared)
    if guard and tracer.alive():
        _require_no_memory(tracer, builder, module, calling, again, set(range(len_of(signals))), name)
    if calling.pure and tracer.forms.findings:
        listed = "; ".join(list(tracer.forms.findings)[:3])
        raise NetlistError(
            f"{name} is not made of neurons alone: {listed}; "
            f"{len(tracer.forms.findings)} such places, import it without pure to have them modelled"
        )
    netlist = _without(builder.build(found), again)
    spikes = max(tracer.forms.neurons, netlist.signal_count)
    note = _require_same_behaviour(netlist, make, calling, name, tracer.operations, spikes)
    batches = "in batches" in note["batch"]
    rows = _afforded(spikes) if batches else note["rows"]
    thresholds = _require_same_decisions(tracer.forms, compared, make, calling, name, rows, batches)
    _require_blindness(netlist, make, calling, name)
    head = NOTE.format(
        version=torch.__version__,
        name=name,
        comparisons=tracer.forms.neurons,
        time=calling.time + begins,
        thresholds=thresholds,
        **note,
    )
    return replace(netlist, notes=(head, *_listed(tracer.forms)))


def signals_width(signals: Mapping[str, Bus], wanted: bool) -> list[tuple[str, int]]:
    """Buses and their widths, if they are wanted."""
    return [(name, len(bus)) for name, bus in signals.items()] if wanted else []


def len_of(signals: Mapping[str, Bus]) -> int:
    """How many bits buses have together."""
    return sum(map(len, signals.values()))


def _listed(forms: Forms) -> Iterator[str]:
    for what, times in list(forms.findings.items())[:LISTED]:
        yield f"no neuron, modelled as what it computes: {what}" + (f", {times} times" * (times > 1))
    if (more := len(forms.findings) - LISTED) > 0:
        yield f"no neuron, modelled as what it computes: at {more} more places"


def _without(netlist: Netlist, unused: Mapping[str, Bus]) -> Netlist:
    """A netlist without its last input buses, which nothing reads."""
    if not unused:
        return netlist
    count, fewer = netlist.input_count, len_of(unused)

    def moved(signal: int) -> int:
        return signal - fewer if signal >= count else signal

    width = len(unused)
    return Netlist(
        inputs=dict(list(netlist.inputs.items())[:-width]),
        neurons=tuple(
            Neuron(tuple((moved(s), w) for s, w in each.synapses), each.threshold, each.bias)
            for each in netlist.neurons
        ),
        outputs={name: tuple(map(moved, bus)) for name, bus in netlist.outputs.items()},
    )


# --- one run on symbolic bits -----------------------------------------------------------------------


def _traced(
    tracer: Tracer, module: Callable[..., Any], calling: Calling, signals: Mapping[str, Bus], name: str
) -> dict[str, Bus]:
    """The signals of the output buses."""
    import torch

    kind = _kind(module)
    rows = {}
    for bus, bits in signals.items():
        rows[bus] = torch.zeros(1, len(bits), dtype=kind)
        tracer.put(rows[bus], np.array([[tracer.forms.signal(bit) for bit in bits]], dtype=np.int64))
    try:
        with failing(name), tracer.following():
            results = _called(module, calling, rows)
    except NetlistError:
        if tracer.problem is not None:
            raise tracer.problem from None
        raise
    return {
        bus: tuple(
            _output(tracer, bus, place, number)
            for place, number in enumerate(tracer.numbers(bits).reshape(-1).tolist())
        )
        for bus, bits in results.items()
    }


def _output(tracer: Tracer, bus: str, place: int, number: int) -> int:
    from spikeproof.circuits.doors.affine_forms import Opaque

    forms = tracer.forms
    bit = forms.bit(number)
    what = f"bit {place} of {bus!r}"
    if bit is None:
        raise NetlistError(f"{what} is a potential or a sum of spikes; return what a threshold gives")
    if bit in (forms.zero, forms.one):
        return ONE if bit == forms.one else ZERO
    spike = forms.spike(bit)
    if spike is None:
        form = forms[bit]
        assert isinstance(form, Opaque)
        raise NetlistError(f"{what} depends on what cannot be imported: {form.reason}; {REMEDY}")
    signal, negated = spike
    return tracer.forms.builder.neuron([(signal, -1)], 0) if negated else signal


def _require_blindness(
    netlist: Netlist, make: Callable[[], Callable[..., Any]], calling: Calling, name: str
) -> None:
    """Refuse a module that gives another netlist when other values lie where spikes should.

    Raises:
        NetlistError: if it does: it reads memory in a way that PyTorch does not show.
    """
    from spikeproof.circuits.doors.symbolic_tensors import Tracer

    builder = NetlistBuilder()
    signals = {bus: builder.input(bus, width) for bus, width in calling.buses.items()}
    try:
        found = builder.build(_traced(Tracer(builder, memory=1), make(), calling, signals, name))
    except NetlistError:
        found = None
    if found is None or found.sha256 != netlist.sha256:
        raise NetlistError(
            f"{name} reads values of spikes in a way that PyTorch does not show, as torch.FloatTensor "
            "of a list does; compute with tensors (torch.stack, clone)"
        )


def _require_no_memory(
    tracer: Tracer,
    builder: NetlistBuilder,
    module: Callable[..., Any],
    calling: Calling,
    again: Mapping[str, Bus],
    first: set[int],
    name: str,
) -> None:
    """Refuse a module whose second call depends on its first.

    Raises:
        NetlistError: naming what it keeps, as far as that is found.
    """
    kept = ", ".join(_remembered(tracer, module)[:3]) or "tensors outside of the module"
    refusal = NetlistError(
        f"{name} remembers between calls ({kept}); declare that it is reset before each "
        "(reset=True, --reset), or say for how many time steps it runs (steps, --time)"
    )
    signals = {bus.removesuffix(".again"): bits for bus, bits in again.items()}
    try:
        second = builder.build(_traced(tracer, module, calling, signals, name))
    except NetlistError:
        raise refusal from None
    read = {signal for bus in second.outputs.values() for signal in bus}
    read.update(source for neuron in second.neurons for source, _ in neuron.synapses)
    if read & first:
        raise refusal


def _remembered(tracer: Tracer, module: Any) -> list[str]:
    """The attributes in which a module keeps symbolic tensors."""
    import torch

    return [
        name
        for name, value in _all_attributes(module)
        if isinstance(value, torch.Tensor) and tracer.remembers(value)
    ]


def _beginning(tracer: Tracer, module: Any, fresh: Any) -> str:
    """In words, which of what a module remembers does not begin at 0: a used one may not be at rest."""
    import torch

    before = dict(_all_attributes(fresh))
    values = {name: before.get(name) for name in _remembered(tracer, module)}
    known = {name: each for name, each in values.items() if isinstance(each, torch.Tensor | int | float)}
    found = [name for name, each in known.items() if torch.as_tensor(each).any()]
    return f" ({', '.join(found[:3])} not 0 at first, but as given)" if found else ""


def _all_attributes(module: Any) -> Iterator[tuple[str, Any]]:
    """What a module and its parts have, each with its path."""
    import torch

    for path, part in module.named_modules() if isinstance(module, torch.nn.Module) else ():
        for name, value in _attributes(part):
            yield f"{path}.{name}".lstrip("."), value


def _attributes(part: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(part).items():
        if isinstance(value, dict):  # buffers, memories
            yield from ((str(key), each) for key, each in value.items())
        elif isinstance(value, list | tuple):
            yield from ((name, each) for each in value)
        else:
            yield name, value


# --- calling a module -------------------------------------------------------------------------------


def _kind(module: Callable[..., Any]) -> torch.dtype:
    """The type of a module's first floating-point parameter or buffer; float32 if it has none."""
    import torch

    if isinstance(module, torch.nn.Module):
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                return tensor.dtype
    return torch.float32


def _called(
    module: Callable[..., Any], calling: Calling, rows: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The output buses, least significant bit first, a row for each of the inputs'.

    Raises:
        NetlistError: if what is returned has another shape than was said.
    """
    import torch

    given = [_presented(calling, rows, step) for step in range(calling.steps)]
    separate = _takes_each(module, len(calling.inputs))
    arguments = [each if separate else [torch.cat(each, dim=-1)] for each in given]
    if "t" in calling.axes:
        time = calling.axes.index("t")
        stacked = [torch.stack(parts, dim=time) for parts in zip(*arguments, strict=True)]
        results = _split(module(*(_laid(calling, each) for each in stacked)), calling, len(rows))
        return _named(
            calling, [{n: x.select(time, t) for n, x in results.items()} for t in range(calling.steps)]
        )
    found: list[dict[str, torch.Tensor]] = []
    state: Sequence[Any] = ()
    for each in arguments:
        result = module(*(_laid(calling, part) for part in each), *state)
        found.append(_split(result, calling, len(rows)))
        if isinstance(result, tuple) and _takes_state(module, len(each), len(result) - 1):
            state = result[1:]
    return _named(calling, found)


def _presented(calling: Calling, rows: Mapping[str, torch.Tensor], step: int) -> list[torch.Tensor]:
    """The bits of each input bus in a step, as the module orders them."""
    found = [rows[f"{name}.{step}" if calling.each_step else name] for name in calling.inputs]
    if calling.presented == "first" and step:
        found = [each.new_zeros(each.shape) for each in found]
    return [each.flip(-1) for each in found] if calling.order == "msb" else found


def _laid(calling: Calling, tensor: torch.Tensor) -> torch.Tensor:
    return tensor if "n" in calling.axes else tensor.squeeze(calling.axes.index("b"))


def _named(calling: Calling, found: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    if calling.each_step:
        return {f"{name}.{t}": bits for t, step in enumerate(found) for name, bits in step.items()}
    return found[-1]


def _takes_each(module: Callable[..., Any], buses: int) -> bool:
    """Whether a module takes a tensor for each of several buses."""
    required, most = _parameters(module)
    return buses > 1 and ((1 < required <= buses <= most) or (required == 0 and most > 1000))


def _takes_state(module: Callable[..., Any], given: int, more: int) -> bool:
    return more > 0 and given + more <= _parameters(module)[1] < 1000


def _parameters(module: Callable[..., Any]) -> tuple[int, int]:
    """How many positional parameters a call must have, and may."""
    function = getattr(module, "forward", module)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return 1, 1
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = sum(p.default is p.empty for p in positional)
    unlimited = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return required, 1 << 20 if unlimited else len(positional)


def _split(result: Any, calling: Calling, buses: int) -> dict[str, torch.Tensor]:
    """The output buses of what a module returns, with a batch's axis, least significant bit first."""
    import torch

    names, widths = list(calling.outputs), list(calling.outputs.values())
    if isinstance(result, Mapping):
        if missing := [name for name in names if name not in result]:
            raise NetlistError(f"the module returns a dictionary without {missing[0]!r}; add it")
        parts = [_shaped(result[name], calling, width, name) for name, width in calling.outputs.items()]
    elif isinstance(result, tuple | list):
        whole = [each for each in result if isinstance(each, torch.Tensor)]
        if len(names) > 1 and len(whole) == len(result) == len(names):
            parts = [
                _shaped(each, calling, width, name)
                for each, (name, width) in zip(whole, calling.outputs.items(), strict=True)
            ]
        elif result:
            return _split(result[0], calling, buses)
        else:
            raise NetlistError("the module returns nothing; return its output spikes")
    elif isinstance(result, torch.Tensor):
        parts = list(
            torch.split(_shaped(result, calling, sum(widths), ", ".join(names)), widths, dim=-1)
        )
    else:
        raise NetlistError(
            f"the module returns a {type(result).__name__}; return a tensor, a tuple or a dictionary"
        )
    if calling.order == "msb":
        parts = [part.flip(-1) for part in parts]
    return dict(zip(names, parts, strict=True))


def _shaped(tensor: Any, calling: Calling, width: int, name: str) -> torch.Tensor:
    import torch

    if not isinstance(tensor, torch.Tensor):
        raise NetlistError(f"the module returns a {type(tensor).__name__} for {name}; return a tensor")
    if width == 1 and tensor.ndim == len(calling.axes) - 1:
        tensor = tensor.unsqueeze(-1)
    fits = tensor.ndim == len(calling.axes) and tensor.shape[-1] == width
    if "t" in calling.axes and fits:
        fits = tensor.shape[calling.axes.index("t")] == calling.steps
    if not fits:
        raise NetlistError(
            f"the module returns shape {list(tensor.shape)} for {name} of {width} bits; return axes "
            f"{calling.axes} (n batch, t time, b bits), or say which axes it has, or other widths"
        )
    found: torch.Tensor = tensor if "n" in calling.axes else tensor.unsqueeze(-2)
    return found


# --- the comparison ---------------------------------------------------------------------------------


def _require_same_behaviour(
    netlist: Netlist,
    make: Callable[[], Callable[..., Any]],
    calling: Calling,
    name: str,
    operations: int,
    spikes: int,
) -> dict[str, Any]:
    """Run fresh modules beside the netlist; words for the note.

    Raises:
        NetlistError: naming an input on which they differ.
    """
    every = netlist.input_count < 20 and 1 << netlist.input_count <= SAMPLED_INPUTS
    if every:
        bits = boolean.unpack_words(np.arange(1 << netlist.input_count), netlist.input_count).T
    else:
        bits = drawn_bits(list(netlist.inputs.values()), _afforded(spikes))
        bits = np.concatenate([bits, _changing_bits(netlist, _signals(netlist, bits)[1])])
    words, signals = _signals(netlist, bits)
    expected = signals[[signal for bus in netlist.outputs.values() for signal in bus]].T
    work = max(operations, spikes)
    alone = min(len(bits), SINGLE_ROWS, max(2, AFFORDED_OPERATIONS // work))
    comparison = _Comparison(make, calling, netlist, words, bits, expected, name)
    chosen = np.linspace(0, len(bits) - 1, alone).astype(int)
    for row in chosen:
        comparison.run(np.array([row]))
    batches = "n" in calling.axes and comparison.batches()
    batch = ", since it takes no batches"
    if batches:
        batch = " and otherwise in batches, in training and in evaluation"
        for training in (None, True, False):
            comparison.run(np.arange(len(bits)), training=training, batch=True)
    for rows in [chosen] if batches else chosen[:, None]:
        comparison.run(rows, recording=True, batch=batches)
    if not calling.from_rest:
        comparison.run(chosen[-1:], before=chosen[:1])
    which = f"all {len(bits):,} inputs" if every else f"{len(bits):,} of 2^{bits.shape[1]} inputs"
    unmoved, neurons = len(_unmoved(netlist, signals)), len(netlist.neurons)
    return {
        "unmoved": "" if every else f"; {unmoved:,} of {neurons:,} neurons never changed on these",
        "which": which if "batches, " in batch else f"{alone:,} inputs",
        "rows": alone,
        "batch": batch,
    }


def _afforded(spikes: int) -> int:
    """On how many inputs at once a module of so many spikes is run."""
    return max(64, min(SAMPLED_INPUTS, AFFORDED_SIGNALS // max(1, spikes)))


def _require_same_decisions(
    forms: Forms,
    compared: Sequence[Compared | None],
    make: Callable[[], Callable[..., Any]],
    calling: Calling,
    name: str,
    rows: int,
    batches: bool,
) -> str:
    """Compare neurons at their thresholds, one by one (``free_spikes``); words for the note.

    Raises:
        NetlistError: naming a neuron that decides otherwise than the imported one.
    """
    from spikeproof.circuits.doors.free_spikes import FreeSpikes

    free = FreeSpikes(forms, compared, rows)
    if free.tangled:
        return "; neurons were not compared at their thresholds, since maxima or the like read resets"
    buses, first = {}, 0
    for bus, width in calling.buses.items():
        buses[bus] = tuple(range(first, first + width))
        first += width

    def answering() -> Callable[[NDArray[np.bool_]], Any]:
        module = make()
        return lambda bits: _answers(module, calling, buses, bits, name)

    if not free.require_same(answering, batches, name):
        return "; neurons were not compared at their thresholds: comparisons depend on how many rows"
    return (
        f"; with spikes set free {free.met:,} of {free.decisions:,} neurons, in each case of their "
        "resets, were compared just at and just below their thresholds"
    )


def _signals(netlist: Netlist, bits: NDArray[np.bool_]) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """The words of input buses, and what all signals do, of inputs as rows of bits."""
    words = {bus: boolean.bus_words(bits.T, at) for bus, at in netlist.input_buses.items()}
    return words, boolean.evaluate_signals(netlist, words)


def _unmoved(netlist: Netlist, signals: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The neurons, as signals, that do the same on all inputs."""
    fired = signals[netlist.input_count : netlist.signal_count]
    return np.flatnonzero(fired.all(axis=1) | ~fired.any(axis=1)) + netlist.input_count


def _changing_bits(netlist: Netlist, signals: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Inputs that may change neurons which did not change yet, a row each.

    What a neuron should do is handed on to what it reads, by the signs of weights, down to the inputs.
    Of a neuron that reads inputs alone this finds its one input, if there is no more.
    """
    afforded = min(MOST_PURSUED, (AFFORDED_SIGNALS >> 3) // max(1, netlist.signal_count))
    targets = _unmoved(netlist, signals)[:afforded]
    wanted = np.zeros((netlist.signal_count, len(targets)))
    wanted[targets, np.arange(len(targets))] = np.where(signals[targets, 0], -1, 1)
    for reader in range(netlist.signal_count - 1, netlist.input_count - 1, -1):
        if wanted[reader].any():
            for source, weight in netlist.neurons[reader - netlist.input_count].synapses:
                wanted[source] += np.sign(wanted[reader]) * (1 if weight > 0 else -1)
    bits = wanted[: netlist.input_count].T
    drawn = np.random.default_rng(1).integers(2, size=bits.shape).astype(bool)
    return np.where(bits == 0, drawn, bits > 0)


@dataclass(frozen=True)
class _Comparison:
    make: Callable[[], Callable[..., Any]]
    calling: Calling
    netlist: Netlist
    words: Mapping[str, Any]
    bits: NDArray[np.bool_]
    expected: NDArray[np.bool_]
    name: str

    def batches(self) -> bool:
        """Whether a module runs on several rows at once."""
        try:
            self.answers(self.make(), np.arange(min(3, len(self.bits))))
        except NetlistError:
            return False
        return True

    def answers(
        self, module: Callable[..., Any], rows: NDArray[np.int64], recording: bool = False
    ) -> NDArray[np.bool_]:
        """What a module answers to rows in one batch: see ``_answers``."""
        buses, bits = self.netlist.input_buses, self.bits[rows]
        found = _answers(module, self.calling, buses, bits, self.name, recording)
        if found.shape != self.expected[rows].shape:
            raise NetlistError(
                f"{self.name} answers {len(rows)} rows with shape {list(found.shape)}; "
                f"say which axes its tensors have, not {self.calling.axes}"
            )
        return found

    def run(
        self,
        rows: NDArray[np.int64],
        *,
        training: bool | None = None,
        recording: bool = False,
        batch: bool = False,
        before: NDArray[np.int64] | None = None,
    ) -> None:
        """Compare on these rows, in one batch.

        Args:
            training: which mode; the module's own if None.
            recording: whether gradients are; what only works without them is not compared so.
            batch: whether rows have been found right one by one.
            before: rows that the same module answers first.
        """

        def answered() -> NDArray[np.bool_]:
            module = self.make()
            if training is not None and hasattr(module, "train"):
                module.train(training)
            if before is not None:
                self.answers(module, before)
            return self.answers(module, rows, recording)

        try:
            found = answered()
        except FailingError:
            if recording:
                return
            raise
        differing = np.flatnonzero((found != self.expected[rows]).any(axis=1))
        if not len(differing):
            return
        row = rows[differing[0]]
        shown = ", ".join(f"{bus} = {words[row]}" for bus, words in self.words.items())
        if (found != answered()).any():
            cause = (
                "it answers the same input in two ways: it is random, or keeps state outside of itself"
            )
        elif before is not None:
            cause = "it remembers an earlier call: declare reset=True, or how many steps it runs"
        elif recording:
            cause = "it does something else while gradients are recorded"
        elif training is not None and batch:
            cause = f"it does something else in {'training' if training else 'evaluation'}"
        elif batch:
            cause = "rows of a batch influence each other: say which axis is time (axes='tnb')"
        else:
            cause = "it looks at values in a way that PyTorch does not show"
        raise NetlistError(
            f"{self.name} does not do what was imported, for instance for {shown}: {cause}"
        )


def _answers(
    module: Callable[..., Any],
    calling: Calling,
    buses: Mapping[str, Bus],
    bits: NDArray[np.bool_],
    name: str,
    recording: bool = False,
) -> NDArray[np.bool_]:
    """What a module answers to inputs, a row of bits each, in one batch.

    Args:
        recording: whether gradients are recorded on the way.

    Raises:
        NetlistError: if it fails, or returns other numbers than 0 and 1.
    """
    import torch

    kind = _kind(module)
    given = {bus: torch.from_numpy(bits[:, list(at)]).to(kind) for bus, at in buses.items()}
    with failing(name), torch.set_grad_enabled(recording):
        results = _called(module, calling, given)
        found = torch.cat([each.detach().to(torch.float64) for each in results.values()], dim=-1)
    array: NDArray[np.float64] = found.numpy()
    if not ((array == 0) | (array == 1)).all():
        raise NetlistError(f"{name} returns other numbers than 0 and 1; return spikes")
    fired: NDArray[np.bool_] = array == 1
    return fired


def drawn_bits(widths: Sequence[int], count: int) -> NDArray[np.bool_]:
    """Inputs for buses of these widths, a row each, as special operands have them too.

    A bus is random, or constant, or begins or ends with a run of equal bits, or is sparse, or is, but
    for a bit, the bus before.
    """
    generator = np.random.default_rng(0)
    buses: list[NDArray[np.bool_]] = []
    for width in widths:
        bits = generator.integers(2, size=(count, width)).astype(bool)
        style = generator.integers(6, size=count)
        run = generator.integers(1, width + 1, size=count)[:, None]
        value = generator.integers(2, size=(count, 1)).astype(bool)
        at = np.arange(width)
        bits = np.where((style == 1)[:, None], value, bits)
        bits = np.where((style == 2)[:, None] & (at >= width - run), value, bits)
        bits = np.where((style == 3)[:, None] & (at < run), value, bits)
        bits = np.where((style == 4)[:, None], (at == run - 1) ^ value, bits)
        if buses and buses[-1].shape[1] == width:
            flipped = (at == run - 1) & value
            bits = np.where((style == 5)[:, None], buses[-1] ^ flipped, bits)
        buses.append(bits)
    return np.concatenate(buses, axis=1)


# --- a process of its own ---------------------------------------------------------------------------

START = "import sys; sys.path.pop(0); from spikeproof.circuits.doors.module_worker import main; main()"


def import_module(
    source: str,
    inputs: Mapping[str, int],
    outputs: Mapping[str, int],
    *,
    seconds: float = 300,
    memory_mib: int = 4096,
    **calling: Any,
) -> Netlist:
    """The netlist of a PyTorch module from its source, whose code runs in a process of its own.

    The process may use so much time and memory, is not given back its output, and writes no files but
    temporary ones. That guards against accidents, not against malice: run code that you do not trust
    in a container.

    Args:
        source: ``package.module:factory`` or ``path/to/file.py:factory``: a module, or a class or
            function that makes one without arguments.
        inputs: as of ``from_module``, and so are outputs and all of ``calling``.
        outputs: likewise.
        seconds: of wall-clock time.
        memory_mib: of address space, 1 GiB of which PyTorch itself may take.

    Raises:
        NetlistError: as ``from_module``; or one line if the code fails, crashes, does not end in time,
            needs more memory, or is random.
    """
    if not source.rpartition(":")[0]:
        raise NetlistError(f"{source!r} names no module; write package.module:NAME or FILE.py:NAME")
    checked = Calling(dict(inputs), dict(outputs), **calling)
    request = {"source": source, "calling": asdict(checked), "memory_mib": memory_mib}
    with tempfile.TemporaryDirectory(prefix="spikeproof-") as folder:
        asked = json.dumps({**request, "folder": folder})
        said, status = _answer([sys.executable, "-c", START, asked], seconds, source)
    try:
        answer = json.loads(said)
        if "error" not in answer:
            return doors_json.parse(answer["netlist"])
    except (KeyError, TypeError, ValueError, RecursionError):
        raise NetlistError(f"{source} {_ending(status)}; run it by itself to see why") from None
    raise NetlistError(str(answer["error"]))


def _answer(command: list[str], seconds: float, source: str) -> tuple[bytes, int]:
    """What a process writes, and its exit status.

    Raises:
        NetlistError: if it does not end in time; it and its children are then killed.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise NetlistError(
                f"{source} did not end within {seconds:g} seconds; give it more, or look for a loop"
            ) from None
        finally:
            _kill(process)
    return said, process.returncode


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started in its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _ending(status: int) -> str:
    if status < 0:
        return f"crashed ({signal.Signals(-status).name})"
    return f"ended by itself (exit code {status})"
