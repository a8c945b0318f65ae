"""Work on many things in several processes."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")

FORK = get_context("fork")
"""How all our processes begin, whatever Python's default is: with the formulas and the catalogue there
are, and without running the caller's script again. Only the thread that forks goes on in them. No other
of ours could hold a lock then: OpenBLAS stops its own, and our pools of threads have ended. Of a caller
with threads Python 3.12 warns, and rightly: what these have locked stays locked.
"""

LOST = "the process that worked on it died; it may have run out of memory: lower --jobs"


def results(
    work: Callable[..., Result],
    tasks: Mapping[Key, tuple[Any, ...]],
    jobs: int,
    lost: Callable[[Key], Result],
) -> Iterator[Result]:
    """What becomes of each task, as it comes; one after another in this process if one job is enough.

    Args:
        work: a function that processes can be given, and its arguments are ``tasks``.
        lost: what becomes of a task whose process died.
    """
    if min(jobs, len(tasks)) <= 1:
        for arguments in tasks.values():
            yield work(*arguments)
        return
    with ProcessPoolExecutor(min(jobs, len(tasks)), FORK, die_with_parent) as pool:
        pending = {pool.submit(work, *arguments): key for key, arguments in tasks.items()}
        try:
            for future in as_completed(pending):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    yield lost(pending[future])
        except BaseException:
            # Interrupted: nobody will read what the workers are still at.
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in active_children():
                worker.terminate()
            raise


def die_with_parent() -> None:
    """Have this process killed when its parent ends, however that ends; Linux only."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
