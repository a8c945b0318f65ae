"""PyTorch code run on symbolic bits: what each element of each tensor is, as a function of them.

Tensors stay ordinary ones. Each storage that holds symbolic elements has a shadow: an array of the same
size with the numbers of their forms (``affine_forms``), or -1 where memory itself holds the value. So
views alias and in-place writes work by themselves. Operations that only move elements are run on numbers
of forms instead; arithmetic and comparisons have their meaning here.
"""

from __future__ import annotations

import gc
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from spikeproof.circuits.doors.affine_forms import Affine, Forms, Kind, Opaque, plain
from spikeproof.circuits.netlist import NetlistBuilder, NetlistError

Numbers = NDArray[np.int64]
"""Numbers of forms, in the shape of a tensor."""

Some = Numbers | int
"""The same; of a tensor of one element its number alone, which is quicker by far."""

FEW = 48
"""Of so many elements each is looked up by itself; of more, each combination once."""

VECTOR = 64
"""PyTorch's vectorised loops take fewer numbers at once; what is not contiguous its plain loops do."""

PURGED_AT = 1 << 14
"""When shadows have so many elements, or twice those in use, those of storages that are gone go."""

ENTRY = 64
"""What a shadow costs itself, in elements."""

KINDS = {
    torch.bool: Kind("bool", 0, 0, 1),
    **{
        kind: Kind(
            str(kind).removeprefix("torch."),
            0,
            torch.iinfo(kind).min,
            torch.iinfo(kind).max,
        )
        for kind in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
    },
    **{
        kind: Kind(
            str(kind).removeprefix("torch."),
            1 - round(math.log2(torch.finfo(kind).eps)),
            int(torch.finfo(kind).min),
            int(torch.finfo(kind).max),
            Fraction(torch.finfo(kind).smallest_normal),
        )
        for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    },
}

READERS = frozenset(
    {"tolist", "numpy", "__array__", "data_ptr", "untyped_storage", "storage", "_typed_storage"}
    | {"__dlpack__", "share_memory_", "__repr__", "__str__", "__format__", "apply_", "map_", "map2_"}
)
"""Methods by which values leave PyTorch without its noticing."""

SHAPED = frozenset(
    {"empty_like", "zeros_like", "ones_like", "full_like", "new_empty", "new_zeros", "new_ones"}
    | {"new_full", "new_empty_strided", "is_same_size", "sym_size", "is_pinned"}
)
"""Operations that look at a tensor's shape and type alone."""

READING = frozenset({"_local_scalar_dense", "is_nonzero", "equal", "nonzero", "item"})
"""Operations whose results are values or shapes that depend on them."""

MAKERS = frozenset({"tensor", "asarray", "as_tensor", "Tensor", "FloatTensor", "new_tensor", "new"})
"""Functions that read the numbers of what they are given."""

EXPORTING = (torch, torch._C, torch.utils.dlpack)
EXPORTERS = ("to_dlpack", "_to_dlpack", "_to_dlpack_versioned")
"""Where the functions are that hand memory over, and their names."""

READ_OUT = (
    "a spike's value is read out by {}; an import has no value to read: "
    "compute with tensors (torch.stack, clone)"
)

VIEWS = frozenset(
    {"view", "_reshape_alias", "expand", "squeeze", "unsqueeze", "transpose", "t", "permute", "select"}
    | {"slice", "narrow", "split", "split_with_sizes", "unbind", "chunk", "unfold", "diagonal", "alias"}
    | {"as_strided", "detach", "lift_fresh", "_unsafe_view"}
)
"""Operations whose results are the same numbers in the same memory; those of ``_neg_view`` are not."""

COMPARISONS = frozenset(
    getattr(torch.ops.aten, name + ending)
    for name in ("ge", "gt", "le", "lt", "heaviside")
    for ending in ("", "_")
)
"""What spikes are made by; elsewhere too thresholds are imported, as of a maximum."""

NESTED = (list, tuple)
"""In what operations take several tensors."""

OURS = os.path.dirname(os.path.abspath(__file__))
TORCHS = os.path.dirname(os.path.abspath(torch.__file__))


def place() -> str:
    """Where in the user's code we are: file and line, of a library's if there is no other."""
    frame, outer = sys._getframe(1), ""
    while frame is not None:
        name, ours = _file(frame.f_code.co_filename)
        if name:
            found = f"{name}:{frame.f_lineno}"
            if ours:
                return found
            outer = outer or found
        frame = frame.f_back  # type: ignore[assignment]
    return outer or "an unknown place"


@cache
def _file(path: str) -> tuple[str, bool]:
    """The name of a file that may be the user's, else none, and whether it is in no library."""
    if path.startswith((OURS, TORCHS, "<")) or f"{os.sep}contextlib" in path:
        return "", False
    return os.path.basename(path), f"{os.sep}site-packages{os.sep}" not in path


class Operand:
    """A tensor that an operation reads, as it was before the operation."""

    __slots__ = ("_some", "_tracer", "symbolic", "tensor")

    def __init__(self, tracer: Tracer, tensor: torch.Tensor, some: Some | None = None) -> None:
        self.tensor, self._tracer, self._some = tensor, tracer, some
        self.symbolic = some is not None

    @property
    def some(self) -> Some:
        """Of its elements' forms; of constants, made when first asked for."""
        if self._some is None:
            self._some = self._tracer.constants(self.tensor)
        return self._some

    @property
    def numbers(self) -> Numbers:
        """The same in the tensor's shape."""
        return _in_shape(self.some, self)

    @property
    def kind(self) -> torch.dtype:
        """Its type."""
        return self.tensor.dtype


class Compared(NamedTuple):
    """A comparison that the code makes: which potentials with 0, what spikes that gives, its shape."""

    drives: list[int]
    spikes: list[int]
    strict: bool
    shape: tuple[int, ...]


class Tracer:
    """Knows which tensors hold symbolic elements while code runs under ``following``.

    Args:
        builder: takes the neurons.
        memory: what memory has where elements are symbolic; by default what comes of inputs that rest.
    """

    def __init__(self, builder: NetlistBuilder, memory: int | None = None) -> None:
        self.memory = memory
        self.forms = Forms(builder, place)
        self.problem: NetlistError | None = None
        self.busy = False
        self.operations = 0
        self.compared: list[Compared | None] = []
        self._shadows: dict[int, tuple[StorageWeakRef, Numbers, torch.dtype]] = {}
        self._load, self._most = 0, PURGED_AT
        self._scalars: dict[tuple[torch.dtype, Any], int] = {}

    def fail(self, what: str) -> NoReturn:
        """Refuse what the code does.

        Raises:
            NetlistError: with its place; the first is kept, for code may swallow it.
        """
        error = NetlistError(f"{place()}: {what}")
        self.problem = self.problem or error
        raise error

    @contextmanager
    def following(self) -> Iterator[None]:
        """Within this context PyTorch's operations are followed.

        Raises:
            NetlistError: on leaving, if the code did what cannot be followed.
        """
        try:
            with torch.no_grad(), _unexported(self), _Dispatch(self), _Functions(self):
                yield
        except Exception:
            if self.problem is not None:
                raise self.problem from None
            raise
        if self.problem is not None:
            raise self.problem

    # --- shadows ----------------------------------------------------------------------------------

    def _entry(
        self, tensor: torch.Tensor, storage: torch.UntypedStorage | None = None
    ) -> Numbers | None:
        """The shadow of a tensor's storage, if it holds elements of the tensor's type."""
        entry = self._shadows.get((tensor.untyped_storage() if storage is None else storage)._cdata)
        if entry is None:
            return None
        _, numbers, kind = entry
        if kind == tensor.dtype:
            return numbers
        if (numbers >= 0).any():
            self.fail("bits of spikes are taken for another type (view); convert with .to(dtype)")
        return None

    def _shadow(self, tensor: torch.Tensor) -> Numbers | None:
        """The view that a tensor has of its storage's shadow."""
        numbers = self._entry(tensor)
        if numbers is None:
            return None
        size, offset = numbers.itemsize, tensor.storage_offset()
        strides = [size * stride for stride in tensor.stride()]
        return np.ndarray(tuple(tensor.shape), np.int64, numbers.data, size * offset, strides)

    def is_symbolic(self, tensor: torch.Tensor) -> bool:
        """Whether an element of a tensor is no constant."""
        if tensor.layout != torch.strided or tensor.is_meta:
            return False
        shadow = self._shadow(tensor)
        return shadow is not None and bool((shadow >= 0).any())  # ``put`` keeps no constants

    def numbers(self, tensor: torch.Tensor) -> Numbers:
        """The forms of a tensor's elements: a copy."""
        return Operand(self, tensor, self.symbolic(tensor)).numbers

    def symbolic(self, tensor: torch.Tensor) -> Some | None:
        """The forms of a tensor of which an element is no constant; None of another."""
        if tensor.numel() == 1:
            numbers = self._entry(tensor)
            number = -1 if numbers is None else numbers.item(tensor.storage_offset())
            return None if number < 0 else number
        shadow = self._shadow(tensor)
        if shadow is None or not (shadow >= 0).any():
            return None
        found = shadow.copy()
        in_memory = found < 0
        if in_memory.any():
            found[in_memory] = Operand(self, tensor).numbers[in_memory]
        return found

    def constants(self, tensor: torch.Tensor) -> Some:
        """The forms of the values in memory."""
        if tensor.is_complex():
            self.fail("complex numbers stand beside spikes; use real ones")
        if tensor.numel() == 1:
            return self.forms.constant(tensor.item())
        values = tensor.detach().cpu()
        array = (values.double() if values.is_floating_point() else values).numpy()
        distinct, where = np.unique(array, return_inverse=True, equal_nan=True)
        numbers = np.array([self.forms.constant(value) for value in distinct.tolist()], dtype=np.int64)
        return numbers[where].reshape(array.shape)

    def put(self, tensor: torch.Tensor, some: Some) -> None:
        """Say what a tensor holds from now on. Constants are in memory already, or laid there."""
        one = tensor.numel() == 1
        if one and not isinstance(some, int):
            some = int(some.item())
        if self.memory is not None:
            self._lay(tensor, some, self.memory)
        varies = self.forms.varies(some)
        storage = tensor.untyped_storage()
        known = self._entry(tensor, storage)
        if known is None and not (varies if isinstance(some, int) else varies.any()):
            return
        size = storage.nbytes() // tensor.element_size()
        if known is None or len(known) < size:  # writing to ``out`` may have made it larger
            known = self._remember(storage, size, known, tensor.dtype)
        if one:
            known[tensor.storage_offset()] = some if varies else -1
        elif (shadow := self._shadow(tensor)) is not None:
            shadow[...] = np.where(varies, some, -1)

    def _remember(
        self, storage: torch.UntypedStorage, size: int, before: Numbers | None, kind: torch.dtype
    ) -> Numbers:
        """A new shadow, which begins as the one before."""
        if self._load >= self._most:
            self.purge()
            self._most = max(PURGED_AT, 2 * self._load)
        numbers = np.array([-1]) if size == 1 else np.full(size, -1)
        if before is not None:
            numbers[: len(before)] = before
        self._load += ENTRY + size
        self._shadows[storage._cdata] = (StorageWeakRef(storage), numbers, kind)  # type: ignore[no-untyped-call]
        return numbers

    def _lay(self, tensor: torch.Tensor, some: Some, memory: int) -> None:
        """Write constants to memory, and a number for all that varies."""

        def value(number: int) -> float:
            varies = self.forms.varies(number)
            exact = memory if varies else self.forms[number].constant  # type: ignore[union-attr]
            return float(exact) if tensor.is_floating_point() else int(exact)

        if isinstance(some, int):
            tensor.fill_(value(some))
            return
        if self.forms.varies(some).all():
            tensor.fill_(memory)
            return
        distinct, where = np.unique(some, return_inverse=True)
        values = [value(number) for number in distinct.tolist()]
        laid = torch.tensor(values, dtype=tensor.dtype)[torch.from_numpy(where.reshape(-1))]
        tensor.copy_(laid.reshape(tensor.shape))

    def remembers(self, tensor: torch.Tensor) -> bool:
        """Whether any element of the storage that a tensor views is symbolic."""
        entry = self._shadows.get(tensor.untyped_storage()._cdata)
        return entry is not None and bool((entry[1] >= 0).any())

    def purge(self) -> None:
        """Forget storages that are gone: their places are used again for others."""
        gone = [key for key, (storage, *_) in self._shadows.items() if storage.expired()]  # type: ignore[no-untyped-call]
        for key in gone:
            del self._shadows[key]
        self._load = sum(ENTRY + len(numbers) for _, numbers, _ in self._shadows.values())

    def alive(self) -> bool:
        """Whether symbolic elements are still held by anyone."""
        gc.collect()
        self.purge()
        return any((numbers >= 0).any() for _, numbers, _ in self._shadows.values())

    # --- operations -------------------------------------------------------------------------------

    def run(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """One operation of PyTorch."""
        operation = operation_of(func)
        if operation.compares:
            self.compared.append(None)
        held = [t for t in _tensors((args, kwargs)) if self._has_shadow(t)]
        if operation.random and not _inert(func, args):
            self.fail(
                f"{operation.name} makes the module random; use it in training only, or not at all"
            )
        if not held or operation.name in SHAPED:
            return func(*args, **kwargs)
        if operation.views:
            return self._view(func, args, kwargs, held)
        name, written = operation.base, operation.written(args, kwargs)
        numbers = {id(t): some for t in held if (some := self.symbolic(t)) is not None}
        overwritten = written is not None and any(written is t for t in held)
        if not numbers and not overwritten:
            return func(*args, **kwargs)
        if name in READING:
            self.fail(
                "a spike's value is read out, as a branch, int() and item() do; an import has no value "
                "to read: compute with tensors"
            )
        if name not in OPERATIONS:
            self.fail(f"{operation.name} is not supported on spikes; write it with thresholds and sums")
        if written is not None and name not in UNMIXED:
            self._require_one_type(func, written, _tensors((args, kwargs)), kwargs)

        def before(tensor: torch.Tensor) -> Operand:
            known = numbers.get(id(tensor))
            overwritable = written is not None and known is None
            return Operand(self, tensor.clone() if overwritable else tensor, known)

        given = _mapped(args, before)
        options = dict(zip(kwargs, _mapped(kwargs.values(), before), strict=True)) if kwargs else {}
        result = func(*args, **kwargs)
        target = written if written is not None else result
        found = OPERATIONS[name](self, func, target, given, options)
        for tensor, each in zip(
            [target] if isinstance(target, torch.Tensor) else target,
            found if isinstance(found, list) else [found],
            strict=True,
        ):
            if tensor.dtype.is_floating_point and name not in MOVING:
                each = self._unsigned(each)
            self.put(tensor, each)
        return result

    def _unsigned(self, some: Some) -> Some:
        """The same, with zeros that may be 0.0 or -0.0."""
        if isinstance(some, int):
            return self.forms.unsure if some == self.forms.zero else some
        return np.where(some == self.forms.zero, self.forms.unsure, some)

    def _require_one_type(
        self, func: Any, written: torch.Tensor, read: Sequence[torch.Tensor], options: dict[str, Any]
    ) -> None:
        """Refuse what is computed in another type than that of the tensor that it is written to."""
        for each in read:
            wider = each.dtype if "out" in options else torch.result_type(written, each)
            if each.dtype != torch.bool and wider != written.dtype:
                self.fail(
                    f"{_name(func)} writes numbers of {wider} to a tensor of {written.dtype}; "
                    "convert them with .to(dtype) before"
                )

    def _has_shadow(self, tensor: torch.Tensor) -> bool:
        if tensor.layout != torch.strided or tensor.is_meta:
            return False
        return tensor.untyped_storage()._cdata in self._shadows

    def _view(self, func: Any, args: Any, kwargs: Any, held: list[torch.Tensor]) -> Any:
        if _name(func) not in VIEWS and any(map(self.is_symbolic, held)):
            self.fail(f"{_name(func)} is not supported on spikes; use view, reshape or slices")
        result = func(*args, **kwargs)
        for each in _tensors([result]):
            if each.dtype != held[0].dtype and any(map(self.is_symbolic, held)):
                self.fail("bits of spikes are taken for another type (view); convert with .to(dtype)")
        return result

    # --- elements ---------------------------------------------------------------------------------

    def elementwise(self, function: Callable[..., int], *operands: Some) -> Some:
        """A function of forms, on each combination that occurs."""
        if {*map(type, operands)} == {int}:
            return function(*operands)
        broadcast = np.broadcast_arrays(*operands)
        shape = broadcast[0].shape
        flat = [np.ascontiguousarray(each).reshape(-1) for each in broadcast]
        if flat[0].size <= FEW:
            found = [function(*each) for each in zip(*(a.tolist() for a in flat), strict=True)]
            return np.array(found, dtype=np.int64).reshape(shape)
        rows = np.stack(flat)
        distinct, where = np.unique(rows, axis=1, return_inverse=True)
        results = [function(*each) for each in zip(*distinct.tolist(), strict=True)]
        return np.array(results, dtype=np.int64)[where.reshape(-1)].reshape(shape)

    def compared_with_zero(self, drives: Some, strict: bool, shape: tuple[int, ...]) -> Some:
        """The spikes that potentials fire where they reach 0, or exceed it; kept in ``compared``."""
        spikes = self.elementwise(lambda drive: self.forms.threshold(drive, strict=strict), drives)
        kept = [
            [each] if isinstance(each, int) else np.broadcast_to(each, shape).reshape(-1).tolist()
            for each in (drives, spikes)
        ]
        self.compared[-1] = Compared(kept[0], kept[1], strict, shape)
        return spikes

    def operand(self, value: Any, kind: torch.dtype) -> Some:
        """The forms of an operand as an operation of a type takes it."""
        if isinstance(value, Operand):
            if value.symbolic:
                return _converted(self, value, kind)
            return value.some if value.kind == kind else self.constants(value.tensor.to(kind))
        if not kind.is_floating_point and not (math.isfinite(value) and KINDS[kind].has(plain(value))):
            return self.forms.rounded(KINDS[kind])  # PyTorch wraps it, or cuts its fraction
        known = self._scalars.get((kind, value)) if value else None  # zeros have signs
        if known is not None:
            return known
        number = torch.tensor(value, dtype=kind).item() if kind.is_floating_point else value
        if kind.itemsize < 4 and kind.is_floating_point and number != value:
            return self.forms.rounded(KINDS[kind])
        found = self._scalars[kind, value] = self.forms.constant(number)
        return found


class _Dispatch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, tracer: Tracer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tracer = tracer

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing here is compiled; saying so would load PyTorch's compiler

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tracer = self.tracer
        tracer.operations += 1
        outer, tracer.busy = tracer.busy, True
        try:
            return tracer.run(func, args, kwargs or {})
        finally:
            tracer.busy = outer


class _Functions(TorchFunctionMode):
    """Catches what reads memory without an operation."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if not self.tracer.busy:
            if name == "__deepcopy__" and self.tracer.is_symbolic(args[0]):
                return args[0].clone()
            reads = name in READERS or (name in MAKERS and not _alone(name, args))
            if reads and any(map(self.tracer.is_symbolic, _tensors((args, kwargs)))):
                self.tracer.fail(READ_OUT.format(name))
        return func(*args, **kwargs)


@contextmanager
def _unexported(tracer: Tracer) -> Iterator[None]:
    """Within this context the functions that export memory, and that no mode sees, refuse spikes."""

    def refusing(function: Callable[..., Any]) -> Callable[..., Any]:
        def export(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            outer, tracer.busy = tracer.busy, True
            try:
                if tracer.is_symbolic(tensor):
                    tracer.fail(READ_OUT.format("to_dlpack"))
            finally:
                tracer.busy = outer
            return function(tensor, *args, **kwargs)

        return export

    places = [(place, name) for place in EXPORTING for name in EXPORTERS if hasattr(place, name)]
    before = [getattr(place, name) for place, name in places]
    try:
        for (place, name), function in zip(places, before, strict=True):
            setattr(place, name, refusing(function))
        yield
    finally:
        for (place, name), function in zip(places, before, strict=True):
            setattr(place, name, function)


def _alone(name: str, args: Any) -> bool:
    """Whether a maker is given a tensor itself, which then stays the same."""
    return name in ("as_tensor", "asarray") and bool(args) and isinstance(args[0], torch.Tensor)


def _inert(func: Any, args: Sequence[Any]) -> bool:
    """Whether an operation that could be random is not: dropout in evaluation."""
    return "dropout" in func._schema.name and False in args[1:]


class Operation(NamedTuple):
    """What an operation of PyTorch is, whatever it is given.

    Attributes:
        name: in PyTorch.
        base: the same without the sign of writing in place.
        compares: whether neurons come from it.
        random: whether it may draw numbers.
        views: whether its results are views of what it is given.
    """

    name: str
    base: str
    compares: bool
    random: bool
    views: bool

    def written(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> torch.Tensor | None:
        """The tensor that it writes to."""
        if kwargs and isinstance(out := kwargs.get("out"), torch.Tensor):
            return out
        tensor: torch.Tensor | None = args[0] if self.base != self.name else None
        return tensor


@cache
def operation_of(func: Any) -> Operation:
    """The operation that PyTorch dispatches."""
    name = str(func._schema.name).removeprefix("aten::")
    aliases = [each.alias_info for each in func._schema.returns]
    return Operation(
        name,
        name[:-1] if name.endswith("_") and not name.endswith("__") else name,
        func.overloadpacket in COMPARISONS,
        torch.Tag.nondeterministic_seeded in func.tags,
        bool(aliases) and all(a is not None and not a.is_write for a in aliases),
    )


def _name(func: Any) -> str:
    return operation_of(func).name


def _tensors(data: Iterable[Any]) -> list[torch.Tensor]:
    """All tensors in what is given to an operation, or comes from it."""
    found = []
    for each in data:
        if isinstance(each, torch.Tensor):
            found.append(each)
        elif isinstance(each, NESTED):
            found += _tensors(each)
        elif isinstance(each, dict):
            found += _tensors(each.values())
    return found


def _mapped(data: Iterable[Any], function: Callable[[torch.Tensor], Any]) -> list[Any]:
    """The same, in lists, with something else for each tensor."""
    return [
        function(each)
        if isinstance(each, torch.Tensor)
        else (_mapped(each, function) if isinstance(each, NESTED) else each)
        for each in data
    ]


def _operands(data: Any) -> Iterator[Operand]:
    if isinstance(data, Operand):
        yield data
    elif isinstance(data, list):
        for each in data:
            yield from _operands(each)
    elif isinstance(data, dict):
        yield from _operands(list(data.values()))


# --- what operations mean ---------------------------------------------------------------------------

Handler = Callable[[Tracer, Any, Any, list[Any], dict[str, Any]], Any]


def _mover(*elements: int) -> Handler:
    """An operation that only moves elements, on the numbers of their forms.

    Args:
        elements: which arguments hold elements; other tensors are indices or masks.
    """

    def handler(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        _refuse_options(tracer, func, args, kwargs, accumulate=False, reduce=None)
        read = [each for i, arg in enumerate(args) if i in elements for each in _operands(arg)]
        if "out" in kwargs and any(each.kind != out.dtype for each in read):
            tracer.fail(f"{_name(func)} writes to a tensor of another type; convert with .to(dtype)")
        if any(
            each.symbolic for i, arg in enumerate(args) if i not in elements for each in _operands(arg)
        ):
            tracer.fail(f"{_name(func)} takes spikes for an index or a mask; use thresholds and sums")

        def moved(position: int, value: Any) -> Any:
            if isinstance(value, list):
                return [moved(position, each) for each in value]
            if position in elements:
                some = tracer.operand(value, out.dtype)
                if not isinstance(value, Operand):
                    return some
                return torch.from_numpy(np.ascontiguousarray(_in_shape(some, value)))
            return value.tensor if isinstance(value, Operand) else value

        given = [moved(position, value) for position, value in enumerate(args)]
        result = func(*given, **{key: value for key, value in kwargs.items() if key != "out"})
        return result.numpy()

    return handler


def _refuse_options(
    tracer: Tracer, func: Any, args: Sequence[Any], kwargs: dict[str, Any], **allowed: Any
) -> None:
    """Refuse an option of an operation that has another value than the one that is followed."""
    names = (argument.name for argument in func._schema.arguments)
    given = dict(zip(names, args, strict=False)) | kwargs
    for name, value in allowed.items():
        if given.get(name, value) != value:
            tracer.fail(
                f"{_name(func)} with {name}={given[name]!r} is not supported on spikes; "
                "write it with sums and weights"
            )


def _filled(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return tracer.operand(args[1], out.dtype)


def _padded(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    value = args[2] if len(args) > 2 else 0
    return _mover(0, 2)(tracer, func, out, [*args[:2], value], kwargs)


def _zeroed(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return tracer.forms.zero


def _copied(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A copy, to another type perhaps."""
    source = args[1] if _name(func).startswith("copy") else args[0]
    return _converted(tracer, source, out.dtype)


def _converted(tracer: Tracer, source: Operand, kind: torch.dtype) -> Some:
    if kind == source.kind:
        return source.some
    forms = tracer.forms

    def convert(x: int) -> int:
        if x == forms.unsure:
            return x if kind.is_floating_point else forms.zero
        if kind == torch.bool:
            return x if forms.is_bit(x) else forms.negation(forms.equal(x, forms.zero))
        found = forms.combine(x, forms.zero, 1, 0, KINDS[kind])
        if not isinstance(forms[found], Opaque) or isinstance(forms[x], Opaque):
            return found
        return (
            _table(tracer, [x], [source.kind], lambda each: each.to(kind)) if _few(forms, x) else found
        )

    return tracer.elementwise(convert, source.some)


def _in_shape(some: Some, operand: Operand) -> Numbers:
    """The forms of an operand's elements, in its shape."""
    return np.reshape(some, tuple(operand.tensor.shape))


def _few(forms: Forms, number: int) -> bool:
    return len(forms.signals_of([number]) or ()) == 1


def _sum_of_two(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Some:
    """x + alpha y, x - alpha y, y - alpha x."""
    x, y = (tracer.operand(each, out.dtype) for each in args[:2])
    alpha = plain(kwargs.get("alpha", args[2] if len(args) > 2 else 1))
    name, kind, forms = operation_of(func).base, KINDS[out.dtype], tracer.forms
    if name == "rsub":
        x, y = y, x
    if alpha != 1:
        y = tracer.elementwise(lambda each: forms.combine(each, forms.zero, alpha, 0, kind), y)
    sign = 1 if name == "add" else -1
    return tracer.elementwise(lambda one, other: forms.combine(one, other, 1, sign, kind), x, y)


def _product(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Some:
    x, y = (tracer.operand(each, out.dtype) for each in args[:2])
    kind = KINDS[out.dtype]
    return tracer.elementwise(lambda one, other: _times(tracer, one, other, kind, out.dtype), x, y)


def _times(tracer: Tracer, x: int, y: int, kind: Kind, dtype: torch.dtype) -> int:
    """A product; of a form of one signal, the two that floating point makes."""
    forms = tracer.forms
    found = forms.multiply(x, y, kind)
    if isinstance(forms[found], Opaque) and kind.digits:
        signals = forms.signals_of([x, y])
        if signals is not None and len(signals) == 1:
            return _table(tracer, [x, y], [dtype, dtype], lambda one, other: one * other)
    return found


def _quotient(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """By a power of two, a product; else by the table."""
    divisor = args[1]
    constant = not (isinstance(divisor, Operand) and divisor.symbolic)
    if constant and kwargs.get("rounding_mode") is None and out.dtype.is_floating_point:
        forms, kind = tracer.forms, KINDS[out.dtype]

        def divided(x: int, y: int) -> int:
            form = forms[y]
            assert isinstance(form, Affine | Opaque)
            value = Fraction(form.constant) if isinstance(form, Affine) else Fraction(0)
            mantissa = abs(value.numerator * value.denominator)
            if mantissa and mantissa & (mantissa - 1) == 0:
                return forms.combine(x, forms.zero, plain(1 / value), 0, kind)
            if x in (forms.zero, forms.unsure) and value:
                return x
            return (
                _table(tracer, [x, y], [out.dtype] * 2, lambda one, other: one / other)
                if _few(forms, x)
                else forms.rounded(kind, *("a product with", 1 / value) if value else ("a quotient",))
            )

        return tracer.elementwise(divided, *(tracer.operand(each, out.dtype) for each in args[:2]))
    return _pointwise(tracer, func, out, args, kwargs)


def _negative(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    forms, kind = tracer.forms, KINDS[out.dtype]
    return tracer.elementwise(lambda x: forms.combine(x, forms.zero, -1, 0, kind), args[0].some)


def _common(args: list[Any]) -> torch.dtype:
    """The type that a comparison is made in."""
    values = [each.tensor if isinstance(each, Operand) else each for each in args[:2]]
    return torch.result_type(*values)


def _comparison(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Where neurons come from."""
    common, forms = _common(args), tracer.forms
    x, y = (tracer.operand(each, common) for each in args[:2])
    name = operation_of(func).base
    if name in ("le", "lt"):
        x, y = y, x
    drives = tracer.elementwise(lambda one, other: forms.combine(one, other, 1, -1, None), x, y)
    return tracer.compared_with_zero(drives, name in ("gt", "lt"), tuple(out.shape))


def _equality(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    common, forms = _common(args), tracer.forms
    x, y = (tracer.operand(each, common) for each in args[:2])
    equal = tracer.elementwise(forms.equal, x, y)
    return tracer.elementwise(forms.negation, equal) if "ne" in _name(func) else equal


def _gate(kind: str) -> Handler:
    """An operation of logic on bits; on integers its table."""

    def handler(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        x, y = (tracer.operand(each, out.dtype) for each in args[:2])
        forms = tracer.forms
        gate = {"and": forms.conjunction, "or": forms.disjunction, "xor": forms.exclusive}[kind]
        both = {*np.ravel(x).tolist(), *np.ravel(y).tolist()}
        if not all(map(forms.is_bit, both)):
            return _pointwise(tracer, func, out, args, kwargs)
        forms.found(f"a gate ({kind})")
        return tracer.elementwise(gate, x, y)

    return handler


def _inverse(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    if args[0].kind == torch.bool:
        return tracer.elementwise(tracer.forms.negation, args[0].some)
    return _pointwise(tracer, func, out, args, kwargs)


def _where(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    condition, *values = args
    x, y = (tracer.operand(each, out.dtype) for each in values)
    if not condition.symbolic:
        return np.where(condition.tensor.cpu().numpy(), x, y)
    return tracer.elementwise(tracer.forms.select, condition.some, x, y)


def _masked(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return _where(tracer, func, out, [args[1], args[2], args[0]], kwargs)


def _extreme(largest: bool) -> Handler:
    """The larger or smaller of two, by a comparison."""

    def handler(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        x = tracer.operand(args[0], out.dtype)
        y = tracer.operand(args[1], out.dtype) if len(args) > 1 else tracer.forms.zero
        return tracer.elementwise(lambda one, other: _larger(tracer.forms, one, other, largest), x, y)

    return handler


def _larger(forms: Forms, x: int, y: int, largest: bool = True) -> int:
    reached = forms.implies(forms.combine(x, y, 1, -1, None))
    if reached not in (forms.zero, forms.one):
        forms.found("the larger or smaller of two numbers")
    return forms.select(reached, x, y) if largest else forms.select(reached, y, x)


def _clamped(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    found = tracer.operand(args[0], out.dtype)
    bounds = [*args[1:], *([None] * (3 - len(args)))]
    for bound, largest in zip(
        (kwargs.get("min", bounds[0]), kwargs.get("max", bounds[1])), (True, False), strict=True
    ):
        if bound is not None:
            limit = tracer.operand(bound, out.dtype)
            found = tracer.elementwise(
                lambda x, y, up=largest: _larger(tracer.forms, x, y, up), found, limit
            )
    return found


def _at_least(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """torch.heaviside: 0, the given value, or 1."""
    forms = tracer.forms

    def step(x: int, value: int) -> int:
        above = forms.implies(x, strict=True)
        if value in (forms.zero, forms.one):
            return above if value == forms.zero else forms.implies(x)
        return forms.select(above, forms.one, forms.select(forms.implies(x), value, forms.zero))

    if (values := np.unique(tracer.operand(args[1], out.dtype)).tolist()) in ([forms.zero], [forms.one]):
        drives = tracer.operand(args[0], out.dtype)
        return tracer.compared_with_zero(drives, values == [forms.zero], tuple(out.shape))
    return tracer.elementwise(step, *(tracer.operand(each, out.dtype) for each in args[:2]))


def _reduced(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A sum over dimensions, or its quotient by their size."""
    source: Operand = args[0]
    axes = _axes(args[1] if len(args) > 1 else kwargs.get("dim"), source.numbers.ndim)
    numbers = _in_shape(_converted(tracer, source, out.dtype), source)
    count = math.prod(numbers.shape[axis] for axis in axes)
    kept = [axis for axis in range(numbers.ndim) if axis not in axes]
    rows = numbers.transpose([*kept, *axes]).reshape(-1, count)
    kind, forms = KINDS[out.dtype], tracer.forms
    sums = [forms.weighted_sum([(each, 1) for each in row], kind) for row in rows.tolist()]
    found = np.array(sums, dtype=np.int64).reshape(tuple(out.shape))
    if _name(func) == "mean":
        if count & (count - 1):
            return np.full(found.shape, forms.rounded(kind))
        return tracer.elementwise(
            lambda x: forms.combine(x, forms.zero, plain(Fraction(1, count)), 0, kind), found
        )
    return found


def _axes(given: Any, dimensions: int) -> list[int]:
    axes = [given] if isinstance(given, int) else list(given or range(dimensions))
    return [axis % max(dimensions, 1) for axis in axes] if dimensions else []


def _quantified(every: bool) -> Handler:
    """Whether any, or all, are not 0: one neuron."""

    def handler(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        forms, exact = tracer.forms, KINDS[torch.int64]
        bits = _in_shape(_converted(tracer, args[0], torch.bool), args[0])
        axes = _axes(args[1] if len(args) > 1 else kwargs.get("dim"), bits.ndim)
        kept = [axis for axis in range(bits.ndim) if axis not in axes]
        count = math.prod(bits.shape[axis] for axis in axes)
        rows = bits.transpose([*kept, *axes]).reshape(-1, count).tolist()
        forms.found("`all`" if every else "`any`")
        bound = forms.constant(count if every else 1)
        found = [
            forms.implies(
                forms.combine(forms.weighted_sum([(e, 1) for e in row], exact), bound, 1, -1, None)
            )
            for row in rows
        ]
        return np.array(found, dtype=np.int64).reshape(tuple(out.shape))

    return handler


def _running(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """cumsum."""
    forms, kind = tracer.forms, KINDS[out.dtype]
    numbers = _in_shape(_converted(tracer, args[0], out.dtype), args[0])
    numbers = np.moveaxis(numbers, args[1], 0).copy()
    for before, after in pairwise(numbers):
        after[...] = tracer.elementwise(lambda x, y: forms.combine(x, y, 1, 1, kind), before, after)
    return np.moveaxis(numbers, 0, args[1])


def _matrix_product(
    tracer: Tracer, x: Operand, y: Operand, kind: Kind, bias: Numbers | None = None
) -> Numbers:
    """x y, of matrices or vectors, and a bias of the result's shape: linear in what is not zero."""
    left, right = (_rows(each, axis) for each, axis in ((x, 1), (y, 0)))
    found = np.empty((len(left), len(right)), dtype=np.int64)
    for i, row in enumerate(left):
        for j, column in enumerate(right):
            start = [] if bias is None else [(int(bias[i, j]), 1)]
            found[i, j] = _inner(tracer, row, column, kind, start)
    shape = [*(x.tensor.shape[:1] if x.tensor.ndim == 2 else ()), *(y.tensor.shape[1:])]
    return found.reshape(shape)


Line = tuple[bool, dict[int, Any]]
"""A row or column: whether its items are numbers of forms, else values; those by place, but zeros."""


def _rows(operand: Operand, axis: int) -> list[Line]:
    tensor = operand.tensor
    if operand.symbolic:
        array: NDArray[Any] = operand.numbers
    else:
        values = tensor.detach().cpu()
        array = (values.double() if values.is_floating_point() else values).numpy()
        if not np.isfinite(array).all():
            operand._tracer.fail("a weight is infinite or no number; use finite ones")
    if array.ndim == 1:
        array = array[None]
    elif axis == 0:
        array = array.T
    lines = []
    for row in np.ascontiguousarray(array):
        places = np.flatnonzero(row)  # form 0 is the constant 0
        items = row[places].tolist()
        if not operand.symbolic:
            items = list(map(plain, items))
        lines.append((operand.symbolic, dict(zip(places.tolist(), items, strict=True))))
    return lines


def _inner(tracer: Tracer, x: Line, y: Line, kind: Kind, start: list[Any]) -> int:
    forms = tracer.forms
    if len(y[1]) < len(x[1]):
        x, y = y, x
    pairs = [(one, y[1][at]) for at, one in x[1].items() if at in y[1]]
    if x[0] and y[0]:
        return forms.weighted_sum([*start, *((forms.multiply(*pair, kind), 1) for pair in pairs)], kind)
    if y[0]:
        pairs = [(other, one) for one, other in pairs]
    return forms.weighted_sum(start + pairs, kind)


def _multiplied(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return _matrix_product(tracer, args[0], args[1], KINDS[out.dtype])


def _affine_product(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """addmm, addmv: a bias and a product."""
    _refuse_options(tracer, func, args, kwargs, alpha=1, beta=1)
    bias, x, y = args
    shape = tuple(out.shape)
    full = np.broadcast_to(bias.numbers, shape).reshape(len(x.tensor), -1)
    return _matrix_product(tracer, x, y, KINDS[out.dtype], full)


def _batched(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """bmm, baddbmm: a product for each item of a batch."""
    _refuse_options(tracer, func, args, kwargs, alpha=1, beta=1)
    *bias, x, y = args
    kind = KINDS[out.dtype]
    return np.stack(
        [
            _matrix_product(
                tracer,
                _item(tracer, x, index),
                _item(tracer, y, index),
                kind,
                *(np.broadcast_to(each.numbers, tuple(out.shape))[index] for each in bias),
            )
            for index in range(len(out))
        ]
    )


def _item(tracer: Tracer, operand: Operand, index: int) -> Operand:
    numbers = operand.numbers[index] if operand.symbolic else None
    return Operand(tracer, operand.tensor[index], numbers)


def _convolved(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """A convolution with constant weights: each patch of its input by each kernel."""
    source, weight, bias, stride, padding, dilation, transposed, _, groups = args[:9]
    if transposed or weight.symbolic or len(stride) > 2:
        tracer.fail("only convolutions of one or two dimensions with constant weights are supported")
    images = torch.from_numpy(np.ascontiguousarray(source.numbers)).double()  # numbers below 2^53
    filters = weight.tensor
    if len(stride) == 1:
        images, filters = images[:, :, None], filters[:, :, None]
        stride, padding, dilation = [1, *stride], [0, *padding], [1, *dilation]
    patches = torch.nn.functional.unfold(
        images, tuple(filters.shape[2:]), tuple(dilation), tuple(padding), tuple(stride)
    )
    columns = patches.round().long().numpy()
    kind, forms = KINDS[out.dtype], tracer.forms
    biases = [forms.zero] * len(filters) if bias is None else bias.numbers.tolist()
    size, share = columns.shape[1] // groups, len(filters) // groups
    kernels = [
        [(k, plain(w)) for k, w in enumerate(row.tolist()) if w]
        for row in filters.reshape(len(filters), -1).double()
    ]
    found = [
        [
            [
                forms.weighted_sum(
                    [(biases[channel], 1)]
                    + [(int(picture[channel // share * size + k, spot]), w) for k, w in kernel],
                    kind,
                )
                for spot in range(columns.shape[2])
            ]
            for channel, kernel in enumerate(kernels)
        ]
        for picture in columns
    ]
    return np.array(found, dtype=np.int64).reshape(tuple(out.shape))


def _pointwise(tracer: Tracer, func: Any, out: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """An operation on each element by itself: its table, where that depends on few signals."""
    places = [index for index, each in enumerate(args) if isinstance(each, Operand)]
    options = {key: value for key, value in kwargs.items() if key != "out"}
    if any(True for _ in _operands(options)) or isinstance(out, list | tuple):
        tracer.fail(f"{_name(func)} is not supported on spikes; write it with thresholds and sums")
    functional = _functional(func)

    def apply(*values: torch.Tensor) -> torch.Tensor:
        given = list(args)
        for index, value in zip(places, values, strict=True):
            given[index] = value
        result: torch.Tensor = functional(*given, **options)
        if result.dtype not in (out.dtype, torch.bool):
            tracer.fail(f"{_name(func)} mixes numbers of several types; convert with .to(dtype) before")
        return result.to(out.dtype)

    tracer.forms.found(_name(func))
    kinds = [args[index].kind for index in places]
    return tracer.elementwise(
        lambda *numbers: _table(tracer, numbers, kinds, apply),
        *(args[index].some for index in places),
    )


def _functional(func: Any) -> Any:
    """The operation that returns what this one writes."""
    name = _name(func)
    if name.endswith("_") and not name.endswith("__"):
        packet = getattr(torch.ops.aten, name[:-1])
        return getattr(packet, func._overloadname)
    return getattr(func.overloadpacket, "default", func) if func._overloadname == "out" else func


def _table(
    tracer: Tracer,
    numbers: Sequence[int],
    kinds: Sequence[torch.dtype],
    function: Callable[..., torch.Tensor],
) -> int:
    """What PyTorch makes of all values that forms can have: with either zero, by either of its loops."""

    def run(values: NDArray[np.object_]) -> list[int]:
        columns = [
            torch.tensor([float(v) if kind.is_floating_point else int(v) for v in column], dtype=kind)
            for column, kind in zip(values.T, kinds, strict=True)
        ]
        zeros = [(0.0, -0.0) if kind.is_floating_point else (0,) for kind in kinds]
        tried = []
        for chosen in product(*zeros):
            given = [c.masked_fill(c == 0, zero) for c, zero in zip(columns, chosen, strict=True)]
            tried.append(function(*(each.repeat(VECTOR) for each in given))[: len(values)].tolist())
            tried.append(function(*(each.repeat_interleave(2)[::2] for each in given)).tolist())
        return [_agreed(tracer, results) for results in zip(*tried, strict=True)]

    return tracer.forms.tabulated(numbers, run)


def _agreed(tracer: Tracer, results: Sequence[float]) -> int:
    """The form of a number that is the same whatever the signs of zeros and the loop."""
    first = results[0]
    if first == first and any(each != first for each in results):
        what = "a result that depends on the sign of a zero, or on its place in memory"
        return tracer.forms.opaque(f"{what} ({place()})")
    return tracer.forms.constant(first)


MOVING: dict[str, Handler] = {
    **dict.fromkeys(
        [
            "cat",
            "stack",
            "flip",
            "roll",
            "repeat",
            "index",
            "index_select",
            "gather",
            "take",
            "tril",
            "triu",
            "_unsafe_view",
            "diag_embed",
            "rot90",
            "unfold_copy",
        ],
        _mover(0),
    ),
    **dict.fromkeys(["slice_scatter", "select_scatter"], _mover(0, 1)),
    "index_put": _mover(0, 2),
    **dict.fromkeys(["scatter", "index_copy"], _mover(0, 3)),
    **dict.fromkeys(["clone", "_to_copy", "copy", "contiguous", "lift_fresh_copy"], _copied),
    "fill": _filled,
    "constant_pad_nd": _padded,
    "zero": _zeroed,
}
"""Operations whose results are elements as they were, the signs of zeros among them."""

TABLED = (
    *("abs", "sign", "sgn", "square", "round", "floor", "ceil", "trunc", "frac", "remainder", "fmod"),
    *("floor_divide", "reciprocal", "sqrt", "rsqrt", "pow", "clamp_max", "hardtanh", "relu6"),
    *("threshold", "leaky_relu", "elu", "silu", "gelu", "sigmoid", "tanh", "softplus", "hardsigmoid"),
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "atan", "atan2"),
    *("erf", "isnan", "isinf", "isposinf", "isneginf", "signbit", "copysign", "lerp", "addcmul"),
    *("addcdiv", "__lshift__", "__rshift__", "bitwise_left_shift", "bitwise_right_shift"),
)
"""Operations on each element by itself, whatever its place: PyTorch's own results make their tables."""

UNMIXED = frozenset({*MOVING, "ge", "gt", "le", "lt", "eq", "ne", "logical_not"})
"""Operations that say themselves in which type they compute, whatever they write to."""

OPERATIONS: dict[str, Handler] = {
    **MOVING,
    **dict.fromkeys(TABLED, _pointwise),
    "masked_fill": _masked,
    **dict.fromkeys(["add", "sub", "rsub"], _sum_of_two),
    "mul": _product,
    "div": _quotient,
    "neg": _negative,
    **dict.fromkeys(["ge", "gt", "le", "lt"], _comparison),
    **dict.fromkeys(["eq", "ne"], _equality),
    **dict.fromkeys(["bitwise_and", "logical_and", "__and__"], _gate("and")),
    **dict.fromkeys(["bitwise_or", "logical_or", "__or__"], _gate("or")),
    **dict.fromkeys(["bitwise_xor", "logical_xor", "__xor__"], _gate("xor")),
    **dict.fromkeys(["bitwise_not", "logical_not"], _inverse),
    "where": _where,
    **dict.fromkeys(["maximum", "relu", "fmax"], _extreme(True)),
    **dict.fromkeys(["minimum", "fmin"], _extreme(False)),
    **dict.fromkeys(["clamp", "clamp_min"], _clamped),
    "heaviside": _at_least,
    **dict.fromkeys(["sum", "mean"], _reduced),
    "any": _quantified(False),
    "all": _quantified(True),
    "cumsum": _running,
    **dict.fromkeys(["mm", "mv", "dot"], _multiplied),
    **dict.fromkeys(["addmm", "addmv"], _affine_product),
    **dict.fromkeys(["bmm", "baddbmm"], _batched),
    "convolution": _convolved,
}
"""By the name in PyTorch, without the sign of writing in place."""
