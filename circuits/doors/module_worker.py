"""The process in which the code of a module runs: see ``modules.import_module``."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikeproof.circuits.doors.apart import refuse_writing
from spikeproof.circuits.doors.modules import Calling, copied, imported
from spikeproof.circuits.netlist import NetlistError


def main() -> None:
    """Read a request from the command line, answer in JSON on standard output."""
    request = json.loads(sys.argv[1])
    # What the user's code prints goes elsewhere: only this copy leads to the tool.
    channel = os.fdopen(os.dup(1), "w")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    _limit_memory(request["memory_mib"] << 20)
    try:
        answer = {"netlist": _imported(request).serialise()}
    except NetlistError as error:
        answer = {"error": str(error)}
    except BaseException as error:  # SystemExit among them
        answer = {"error": f"{request['source']} ends with {type(error).__name__}: {error}"}
    if any(sign in answer.get("error", "") for sign in ("allocate memory", "MemoryError")):
        answer = {"error": f"{request['source']} needs more than {request['memory_mib']} MiB of memory"}
    channel.write(json.dumps(answer))
    channel.close()
    os._exit(0)  # whatever threads or handlers the code has left behind


def _limit_memory(most: int) -> None:
    try:
        import resource
    except ImportError:  # not on this system
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _imported(request: dict[str, Any]) -> Any:
    import torch

    torch.set_num_threads(1)
    import spikeproof.circuits.doors.free_spikes  # noqa: F401, before the user's code

    where, _, attribute = request["source"].rpartition(":")
    refuse_writing(request["folder"])
    with _told(request):
        factory = getattr(_loaded(where), attribute, None)
    if factory is None:
        raise NetlistError(f"{where} has no {attribute!r}; name a factory or a module as MODULE:NAME")
    calling = Calling(**request["calling"])

    def make() -> Callable[..., Any]:
        with _told(request):
            return _made(factory, request["source"])

    with _told(request):
        _require_same_weights(make(), make(), request["source"])
    return imported(make, calling, request["source"])


class _told:  # noqa: N801, a context manager
    """Whatever the user's code raises or ends with, in one line."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, NetlistError):
            return
        said = (str(error).strip().splitlines() or [""])[0]
        name = type(error).__name__
        raise NetlistError(f"{self.request['source']} fails: {name}: {said}") from None


def _loaded(where: str) -> Any:
    """The module of a file, or of a package on the path."""
    path = Path(where)
    if path.suffix != ".py":
        sys.path.insert(0, os.getcwd())
        return importlib.import_module(where)
    if not path.is_file():
        raise NetlistError(f"cannot read {where}: there is no such file")
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise NetlistError(f"cannot read {where} as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def _made(factory: Any, source: str) -> Callable[..., Any]:
    import torch

    if isinstance(factory, torch.nn.Module):
        return copied(factory)
    if not callable(factory):
        raise NetlistError(f"{source} is a {type(factory).__name__}; name a module or what makes one")
    made = factory()
    if not callable(made):
        raise NetlistError(f"{source} makes a {type(made).__name__}; return a module or a function")
    return made  # type: ignore[no-any-return]


def _require_same_weights(one: Any, other: Any, source: str) -> None:
    """Refuse a factory that draws weights at random.

    Raises:
        NetlistError: if it does.
    """
    import torch

    if not isinstance(one, torch.nn.Module):
        return
    found, again = one.state_dict(), other.state_dict()
    differing = [
        name
        for name, value in found.items()
        if isinstance(value, torch.Tensor) and not torch.equal(value, again[name])
    ]
    if differing:
        raise NetlistError(
            f"{source} makes another module each time ({differing[0]} differs): it is random; "
            "load or set its weights, or call torch.manual_seed in it"
        )
