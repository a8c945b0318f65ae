"""A cluster whose scheduler, workers and client are killed at random moments.

python -m benchmarks.cluster_kills [--kills N] [--seed SEED]

A scheduler, two workers and ``spikeproof prove 'cell.ionic.*' --cluster ADDRESS`` are processes of their
own; one drawn by the seed is killed after a time drawn by it, and started again, over and over. Whenever
the command ends well, its log must be equal to that of an undisturbed run but for times, machine and
seals; then log and cache are removed, and it begins anew. After the last kill it must end well.
Which kill hits what depends on the machine's speed as well.

Each is its own command, in a process forked from this one, which has loaded and stated everything once:
so a kill costs a second or two instead of six, and files that are changed meanwhile make no difference.
"""

from __future__ import annotations

import gc
import os
import random
import runpy
import shutil
import signal
import socket
import sys
import threading
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import msgspec

from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.engines.pool import FORK
from spikeproof.prover.evidence.log import read_log
from spikeproof.prover.evidence.source import source_sha256

PATTERN = "cell.ionic.*"
WORKERS = ("worker 1", "worker 2")
PARTS = ("scheduler", *WORKERS, "client")

SEED = 20261130

PAUSE = 1.0
"""Up to so many seconds are from one kill to the next."""

SPARED = 1_000_000
"""So many workers may die of a task: it is not the task that kills them here. By default Dask gives one
up when four did, though it only waited there; that is an error, and the command says so."""

PATIENCE = 300.0
"""Seconds after the last kill within which the command has to end."""


class DisturbedError(Exception):
    """What should not have come of kills."""


class Machines:
    """A scheduler and two workers, each a process that can be killed, and a client that proves."""

    def __init__(self, folder: Path) -> None:
        self.log, self.cache = folder / "log", folder / "cache"
        self._folder = folder
        self._processes: dict[str, BaseProcess] = {}
        self._address = f"tcp://127.0.0.1:{_free_port()}"

    @property
    def client(self) -> BaseProcess:
        """The command's process."""
        return self._processes["client"]

    def start(self, name: str) -> None:
        """Start a part, whether for the first time or again."""
        port = self._address.rpartition(":")[2]
        command = {
            "scheduler": ["distributed.cli.dask_scheduler", "--port", port, "--no-dashboard"],
            "client": self._prove(self.log, "--cluster", self._address),
        }.get(name, ["distributed.cli.dask_worker", self._address, "--no-nanny", "--nthreads", "1"])
        self._start(name, command)

    def undisturbed(self) -> Path:
        """The log of a run of which nothing is killed."""
        log = self._folder / "undisturbed"
        self._start("client", self._prove(log, "--no-cache", "--jobs", "1"))
        self.client.join()
        if self.client.exitcode:
            raise DisturbedError(f"undisturbed the command ended with exit code {self.client.exitcode}")
        return log

    def revive(self) -> None:
        """Start workers that ended: they leave with their scheduler, as somebody who runs one knows."""
        for name in WORKERS:
            if self._processes[name].exitcode is not None:
                self.start(name)

    def kill(self, name: str) -> None:
        """Kill a part, whatever it is at."""
        self._processes[name].kill()
        self._processes[name].join()

    def end(self) -> None:
        """Kill what is left."""
        for name in self._processes:
            self.kill(name)

    def _prove(self, log: Path, *arguments: str) -> list[str]:
        return ["spikeproof", "prove", PATTERN, "--log", str(log), *arguments]

    def _start(self, name: str, command: list[str]) -> None:
        place = (self._folder, self.cache, f"{name}.txt")
        self._processes[name] = FORK.Process(target=_become, args=(*place, name in WORKERS, command))
        self._processes[name].start()


def _become(folder: Path, cache: Path, said: str, working: bool, command: list[str]) -> None:
    """Be a command, ``python -m MODULE ARGUMENTS``.

    Args:
        said: the file that takes what it says.
        working: whether it is a worker.
    """
    from dask import config

    from spikeproof.prover.running.apart import end, fork_here
    from spikeproof.prover.running.cluster import QUIET

    os.setsid()
    os.chdir(folder)
    with open(said, "ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ["SPIKEPROOF_CACHE"] = str(cache)
    config.set({**QUIET, "distributed.scheduler.allowed-failures": SPARED})
    if working:
        fork_here()
    sys.argv = command
    try:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    finally:
        end()  # else a worker that leaves would wait for its fork server, and that for it


def _load() -> None:
    """Have what all parts need.

    Raises:
        DisturbedError: if there are threads then, with which nobody may fork.
    """
    import distributed  # noqa: F401

    from spikeproof.prover.commands import prove  # noqa: F401
    from spikeproof.prover.running import run  # noqa: F401

    catalogue(), source_sha256()
    gc.freeze()
    if threading.active_count() > 1:
        raise DisturbedError(f"there are threads: {threading.enumerate()}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def timeless(log: Path) -> dict[str, Any]:
    """What is in a log, by theorem, without times, machine and seals."""
    own = {"peak_memory_mib": None, "seal": ""}
    records = map(msgspec.to_builtins, read_log(log).records)
    return {each["theorem"]: _timeless(each) | own for each in records}


def _timeless(data: Any) -> Any:
    """Without the seconds of any part."""
    if isinstance(data, dict):
        return {key: _timeless(value) for key, value in data.items() if key != "seconds"}
    return [_timeless(each) for each in data] if isinstance(data, list | tuple) else data


def require_alike(log: Path, undisturbed: Path) -> None:
    """Refuse a log that is not equal to that of an undisturbed run.

    Raises:
        DisturbedError: naming a theorem, and what is different.
    """
    found, wanted = timeless(log), timeless(undisturbed)
    if lost := wanted.keys() - found.keys():
        raise DisturbedError(f"lost: {sorted(lost)}")
    if gained := found.keys() - wanted.keys():
        raise DisturbedError(f"gained: {sorted(gained)}")
    for name, record in wanted.items():
        for key in record.keys() | found[name].keys():
            one, other = record.get(key), found[name].get(key)
            if one != other:
                raise DisturbedError(f"{name}: {key} is {other!r}, and undisturbed {one!r}")


def disturb(folder: Path, kills: int, seed: int) -> Counter[str]:
    """Kill so many times; what was killed how often, and how many runs ended well.

    Raises:
        DisturbedError: if anything came of it.
    """
    chance, parts, counted = random.Random(seed), Machines(folder), Counter[str]()
    _load()
    undisturbed = parts.undisturbed()
    last = time.monotonic()
    try:
        for name in PARTS:
            parts.start(name)
        while True:
            killed = counted.total() - counted["runs"]
            parts.revive()
            parts.client.join(chance.uniform(0, PAUSE) if killed < kills else 1)
            code = parts.client.exitcode
            if code not in (None, 0, 2, -signal.SIGKILL):
                raise DisturbedError(f"the command ended with exit code {code}")
            if code == 0:
                require_alike(parts.log, undisturbed)
                counted["runs"] += 1
                if killed >= kills:
                    return counted
                shutil.rmtree(parts.log)
                shutil.rmtree(parts.cache, ignore_errors=True)
            if code is not None:
                parts.start("client")
            elif killed < kills:
                victim = chance.choice(PARTS)
                parts.kill(victim)
                parts.start(victim)
                counted[victim] += 1
                last = time.monotonic()
            elif time.monotonic() > last + PATIENCE:
                raise DisturbedError("the command hangs")
    finally:
        parts.end()


@click.command(help=__doc__)
@click.option("--kills", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--seed", type=int, default=SEED, show_default=True)
def main(kills: int, seed: int) -> None:
    """Kill, and print what was killed."""
    with TemporaryDirectory(prefix="spikeproof-") as folder:
        counted = disturb(Path(folder), kills, seed)
    runs = counted.pop("runs")
    shown = ", ".join(f"{part} {count:,}" for part, count in sorted(counted.items()))
    click.echo(f"{counted.total():,} kills ({shown}); {runs:,} runs ended with the undisturbed log")


if __name__ == "__main__":
    main()
