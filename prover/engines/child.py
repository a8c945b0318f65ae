"""A process for a single question."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from spikeproof.prover.engines.engine import Answer
from spikeproof.prover.engines.pool import FORK, die_with_parent
from spikeproof.prover.evidence.record import Status


class Child:
    """A process of its own that decides something, since nothing else can stop an engine."""

    def __init__(self, decide: Callable[[], Answer]) -> None:
        self.receiver, sender = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=_send_answer, args=(decide, sender))
        self.started = time.perf_counter()
        self._process.start()
        sender.close()

    def answer(self, timeout: float = 0) -> Answer:
        """What it says within so many seconds; the process has ended then.

        Raises:
            RuntimeError: if the process died.
            Exception: what the engine raised.
        """
        try:
            if not self.receiver.poll(timeout):
                return Answer(Status.TIMEOUT, reason="timeout")
            answer: Answer | Exception = self.receiver.recv()
        except EOFError:
            raise RuntimeError("the engine's process died; it may have run out of memory") from None
        finally:
            self.end()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self) -> None:
        """Stop it, whatever it is at."""
        self._process.kill()
        self._process.join()
        self.receiver.close()


def _send_answer(decide: Callable[[], Answer], sender: Connection) -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the parent, which kills this
    gc.disable()  # this process does one thing, and ends
    try:
        sender.send(decide())
    except Exception as error:
        sender.send(error)
