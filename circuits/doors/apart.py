"""Code of users, in a process of its own: what it does there changes nothing here.

It is asked in JSON and answers in JSON, through files; what it prints goes to standard error. The
process is a new one, not a copy of this, and may write only temporary files; it ends with its answer, or
at a limit of time or memory, and with it what it has started. That guards against accidents, not malice.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import resource
import signal
import subprocess
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from spikeproof.circuits.netlist import NetlistError

NAMED = re.compile(
    r"(?P<file>.+\.py|(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*)):(?P<name>[^\W\d]\w*(\.[^\W\d]\w*)*)"
)
"""What names an object in a module: ``package.module:name``, or ``path/to/file.py:name``."""

WRITING = {
    "os.remove": 0,
    "os.rename": 1,
    "os.rmdir": 0,
    "os.mkdir": 0,
    "os.truncate": 0,
    "os.chmod": 0,
    "os.chown": 0,
    "os.link": 1,
    "os.symlink": 1,
}
"""Events of the interpreter that change a file, and which argument names it."""

_REQUEST, _REPLY = "request.json", "reply.json"

_PROGRAM = """
import sys
sys.path[:] = [place for place in sys.path if place]
from spikeproof.circuits.doors.apart import answer
answer(sys.argv[1])
"""
"""The folder we are in may have modules of the same names as those that this needs: it comes later."""


class ForeignCodeError(NetlistError):
    """Code of a user that failed, hung, or gave nonsense; one line that names it."""


class HangingCodeError(ForeignCodeError):
    """Code of a user that did not end in time."""


@dataclass(frozen=True)
class Limits:
    """What code of users may take.

    Attributes:
        seconds: from beginning to end.
        memory_mib: of addresses, which are more than what is used.
    """

    seconds: float = 120.0
    memory_mib: int = 8192


def ask_apart(
    worker: str,
    request: dict[str, Any],
    source: str,
    limits: Limits,
    environment: Mapping[str, str] | None = None,
) -> Any:
    """What a function of ours answers in a process of its own, in which it may run code of users.

    Args:
        worker: that function, as ``package.module:name``; it takes the request, and gives what JSON has.
        source: the code of users, as ``package.module:name``, for messages.
        environment: variables of the process, beside those of this.

    Raises:
        HangingCodeError: if it does not end in time.
        ForeignCodeError: if it raises, ends, crashes, or needs more memory.
    """
    with tempfile.TemporaryDirectory(prefix="spikeproof-") as folder:
        asked = {"worker": worker, "request": request, "limits": vars(limits)}
        Path(folder, _REQUEST).write_text(json.dumps(asked))
        code = _run(folder, source, limits, environment or {})
        try:
            reply = json.loads(Path(folder, _REPLY).read_bytes())
        except (OSError, ValueError, RecursionError):
            raise ForeignCodeError(f"{source}: {_ended(code)} before it gave anything") from None
    if not isinstance(reply, dict) or set(reply) not in ({"answer"}, {"error"}):
        raise ForeignCodeError(f"{source}: its process gave another answer than it was asked for")
    if "error" in reply:
        raise ForeignCodeError(f"{source}: {reply['error']}")
    return reply["answer"]


def _run(folder: str, source: str, limits: Limits, environment: Mapping[str, str]) -> int:
    """The code that the process ends with, whatever it had to be stopped for."""
    places = os.pathsep.join(os.path.abspath(place) for place in sys.path if place)
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, folder],
        env={**os.environ, **environment, "PYTHONPATH": places},
        stdin=subprocess.DEVNULL,
        stdout=_standard_error(),
        stderr=_standard_error(),
        start_new_session=True,  # so that what it starts can be ended with it
    )
    try:
        return process.wait(limits.seconds)
    except subprocess.TimeoutExpired:
        raise HangingCodeError(
            f"{source}: it did not end within {limits.seconds:.3g} s; it hangs, or needs more time"
        ) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _standard_error() -> int:
    try:
        os.fstat(2)
    except OSError:
        return subprocess.DEVNULL
    return 2


def _ended(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"its process crashed ({signal.Signals(-code).name})"
    return f"its process was ended by signal {-code}"


# --- in the other process -----------------------------------------------------------------------


def answer(folder: str) -> NoReturn:
    """Do what was asked, write the answer, and end."""
    asked = json.loads(Path(folder, _REQUEST).read_text())
    limits = Limits(**asked["limits"])
    sys.path.insert(0, os.getcwd())
    reply: dict[str, Any]
    try:
        worker: Callable[[dict[str, Any]], Any] = loaded(asked["worker"])
        _limit(limits)
        refuse_writing(folder)
        reply = {"answer": worker(asked["request"])}
        text = json.dumps(reply)
    except MemoryError:
        text = json.dumps({"error": f"it needs more than {limits.memory_mib} MiB of memory"})
    except SystemExit as error:
        text = json.dumps({"error": f"it ends Python with code {error.code}; let it return"})
    except BaseException as error:
        text = json.dumps({"error": described(error)})
    Path(folder, _REPLY).write_text(text)
    sys.stdout.flush()
    os._exit(0)  # whatever threads it has begun


def loaded(name: str) -> Any:
    """The object that ``package.module:name`` names.

    Raises:
        ForeignCodeError: if there is none.
    """
    found = NAMED.fullmatch(name)
    if not found:
        raise ForeignCodeError("that names nothing; write package.module:name, or path/to/file.py:name")
    thing = _module(found["module"]) if found["module"] else _module_of_file(Path(found["file"]))
    for part in found["name"].split("."):
        if not hasattr(thing, part):
            raise ForeignCodeError(f"there is no {part} in {found['file']}{_instead(thing, part)}")
        thing = getattr(thing, part)
    return thing


def loaded_by_any_name(name: str) -> Any:
    """The object that ``package.module.name`` names; or ``package.module:name``, or ``file.py:name``.

    Raises:
        ForeignCodeError: if there is none.
    """
    if ":" in name:
        return loaded(name)
    *modules, last = name.split(".")
    while len(modules) > 1 and not _is_module(".".join(modules)):
        last = f"{modules.pop()}.{last}"  # of something in a module, numpy.add.reduce
    return loaded(f"{'.'.join(modules)}:{last}")


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _instead(thing: Any, name: str) -> str:
    """What may be named of a module in place of a name: what comes close, or what is defined in it."""
    called = [each for each, value in vars(thing).items() if callable(value) and each[0] != "_"]
    if close := get_close_matches(name, called, cutoff=0.7):
        return f"; did you mean {' or '.join(close)}?"
    module = getattr(thing, "__name__", "")
    own = (name for name, value in vars(thing).items() if getattr(value, "__module__", "") == module)
    listed = ", ".join(name for name in own if not name.startswith("_"))
    return f"; it has {listed}" if listed else ""


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ForeignCodeError(
            f"there is no module {error.name}; run this where it lies, or set PYTHONPATH"
        ) from None


def _module_of_file(path: Path) -> Any:
    """As Python would import it from its folder."""
    if not path.is_file():
        raise ForeignCodeError(f"cannot read {path}: there is no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def described(error: BaseException) -> str:
    """An error of a user's code in one line, with its place; ours as they are."""
    if isinstance(error, ForeignCodeError):
        return str(error)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_of_user(f.filename)]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"it raises {type(error).__name__}: {error}{place}"


def _is_of_user(file: str) -> bool:
    """Whether it is neither ours, nor Python's, nor that of an installed package."""
    installed = (sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib"))
    others = [Path(__file__).parents[2], *map(Path, filter(None, installed))]
    return not file.startswith("<") and not any(Path(file).is_relative_to(place) for place in others)


def _limit(limits: Limits) -> None:
    """Keep this process within its limits, even if nobody is left to stop it."""
    octets = limits.memory_mib << 20
    for which, most in ((resource.RLIMIT_AS, octets), (resource.RLIMIT_CPU, int(limits.seconds) + 5)):
        _, hard = resource.getrlimit(which)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(which, (most, hard))


def refuse_writing(folder: str) -> None:
    """From now on this process changes no files but those in a folder, where its temporary ones are."""
    own = os.path.realpath(folder)
    tempfile.tempdir = own
    os.environ["TMPDIR"] = own

    def require_temporary(path: Any) -> None:
        if isinstance(path, int):
            return
        if not os.path.realpath(os.fsdecode(path)).startswith(
            (f"{own}{os.sep}", "/dev/", "/proc/self/")
        ):
            raise PermissionError(f"only temporary files may be written here, not {path}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (
                isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            )
            if writes and path is not None:
                require_temporary(path)
        elif event in WRITING:
            require_temporary(arguments[WRITING[event]])

    sys.addaudithook(hook)
