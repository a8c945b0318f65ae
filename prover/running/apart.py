"""A worker's tasks, each thread's in a process of its own, which may fork as it likes.

A worker has threads, and whoever has threads must not fork: what they have locked stays locked in the
children. So a *fork server* without threads does it, which has loaded once what all its children need.
This file loads little: a worker needs no more of ours.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from threading import Lock, local
from typing import Any, TypeVar

from spikeproof.prover.engines.pool import FORK, die_with_parent

Result = TypeVar("Result")

DEATHS = 3
"""So many workers, or processes of one, may die of a task before it is given up."""

ANEW = (
    "import sys; sys.path[:] = {!r}; from spikeproof.prover.running.cluster import serving; serving({})"
)
"""What a fork server is told that is started anew."""


class DiedError(Exception):
    """As many processes died of a task as may."""


class _ForkServer:
    """A process that forks others, and ends with this one, as those do then."""

    def __init__(self) -> None:
        self._asking = Lock()
        self._line: Connection | None = None
        self._ended = False

    def begin(self, *, anew: bool) -> None:
        """Start it.

        Args:
            anew: if false, it is forked from this process, which has no threads yet.
        """
        self._line, its = FORK.Pipe()
        self._ended = False
        with its:
            if anew:
                handle = its.fileno()
                command = [sys.executable, "-c", ANEW.format(sys.path, handle)]
                subprocess.Popen(command, pass_fds=[handle], stdin=subprocess.DEVNULL)
            else:
                FORK.Process(target=_forked, args=(its, self._line)).start()

    def child(self) -> Connection:
        """The line to a new process, which does tasks.

        Raises:
            OSError: if the server died, or was ended.
        """
        mine, its = FORK.Pipe()
        with its, self._asking:
            if self._line is None:
                self.begin(anew=True)
            assert self._line
            try:
                send_handle(self._line, its.fileno(), None)
            except OSError:
                if not self._ended:
                    self._line = None
                raise
        return mine

    def end(self) -> None:
        """Have it end, and its children, whatever they are at."""
        with self._asking:
            self._ended = True
            if self._line:
                self._line.close()


_server = _ForkServer()
_thread = local()


def fork_here() -> None:
    """Have processes, until ``end``, be forked from this one: all that it has loaded is there.

    It must have no threads yet.
    """
    _server.begin(anew=False)


def end() -> None:
    """Have all processes end, whatever they are at."""
    _server.end()


def packed(work: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """A task, to be done ``apart``."""
    return pickle.dumps((work, arguments))


def unpacked(answer: bytes) -> Any:
    """What became of it.

    Raises:
        Exception: what it raised.
    """
    result, error = pickle.loads(answer)
    if error is not None:
        raise error
    return result


def apart(task: bytes) -> bytes:
    """What became of a task, in the process of this thread.

    Raises:
        DiedError: if one after another dies of it.
    """
    for _ in range(DEATHS):
        try:
            if getattr(_thread, "line", None) is None:
                _thread.line = _server.child()
            _thread.line.send_bytes(task)
            answer: bytes = _thread.line.recv_bytes()
            return answer
        except (EOFError, OSError):
            _thread.line = None
    raise DiedError


def serve(line: Connection) -> None:
    """Fork whatever is asked for, until the other end of the line is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts all that run there
    with suppress(EOFError, OSError):
        while True:
            child = Connection(recv_handle(line))
            FORK.Process(target=_answer, args=(child, line)).start()
            child.close()
    os._exit(0)  # without waiting for its children, which end with it


def _forked(line: Connection, other: Connection) -> None:
    other.close()
    serve(line)


def _answer(line: Connection, server: Connection) -> None:
    """Do one task after another."""
    die_with_parent()
    server.close()
    with suppress(EOFError, OSError):
        while True:
            task = line.recv_bytes()
            line.send_bytes(_answered(task))


def _answered(task: bytes) -> bytes:
    try:
        work, arguments = pickle.loads(task)
        return pickle.dumps((work(*arguments), None))
    except Exception as error:
        return pickle.dumps((None, error))
