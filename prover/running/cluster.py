"""Theorems discharged on other machines: tasks of dask.distributed, whose results nobody believes.

A worker sends a record with its certificates. What it decided is accepted where it is sealed with our
key, which machines that share the secret ``SPIKEPROOF_SEAL`` have, and else where it verifies: as
``spikeproof verify`` would check it. Log and cache are written here alone.

Dask itself runs what a worker or a scheduler sends it: a cluster is of machines that may be mistaken,
or killed at any moment, but mean no harm.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import msgspec

from spikeproof.circuits.netlist import OneLineError
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.catalogue import theorem, with_units
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.engines.pool import LOST, die_with_parent
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.record import CACHED, Found, Record, blank_record, file_content
from spikeproof.prover.evidence.seal import is_sealed, sealed
from spikeproof.prover.evidence.source import source_sha256, versions
from spikeproof.prover.running.run import Run

if TYPE_CHECKING:
    from distributed import Client, Future

LOCAL = "local"
"""Workers on this machine, one for each job."""
DEATHS = 3
"""So many workers may die of a theorem before it is given up."""

GLANCE = 0.02
"""Seconds from one look at what has ended to the next."""
ANSWERING = 10
"""Seconds that a scheduler has to answer."""
DESERTED = 60
"""Seconds without a scheduler that answers, or without a worker, after which a cluster is given up."""


class ClusterError(OneLineError, click.ClickException):
    """A cluster that is not there, or not any more; the message says what to do."""


@dataclass(frozen=True)
class Task:
    """What a worker is asked.

    Attributes:
        theorem: its name.
        timeout: seconds for its engines.
        cached: whether the worker may use its own cache.
        source: the SHA-256 of the source that states and proves it here.
        libraries: versions, likewise.
    """

    theorem: str
    timeout: float
    cached: bool
    source: str
    libraries: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What it answers: the record as a file, and certificates by SHA-256, or why there is none."""

    record: bytes = b""
    certificates: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    origin: str = ""
    trouble: str = ""


@contextmanager
def connected(cluster: str, jobs: int | None) -> Iterator[Client]:
    """A cluster, by the address of its scheduler; or a new one on this machine.

    Args:
        jobs: workers of a new one; by default one for each core.

    Raises:
        ClusterError: if nobody answers at the address.
    """
    import dask
    from distributed import Client, LocalCluster

    # Workers have processes of their own, and one that dies is no reason to look into the others.
    settings = {"distributed.worker.daemon": False, "distributed.scheduler.allowed-failures": DEATHS}
    with dask.config.set(settings):
        if cluster == LOCAL:
            with _uninterrupted():
                workers = LocalCluster(
                    n_workers=jobs or os.cpu_count() or 1,
                    threads_per_worker=1,
                    dashboard_address=None,
                    silence_logs="CRITICAL",
                )
            with workers, Client(workers) as client:
                yield client
            return
        try:
            client = Client(cluster, timeout=ANSWERING)
        except (OSError, ValueError) as error:
            raise ClusterError(
                f"no scheduler of Dask answers at {cluster!r}: {str(error).splitlines()[0]}; "
                f"give its address, as tcp://HOST:8786, or {LOCAL}"
            ) from None
        with client:
            yield client


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes that are started meanwhile are never interrupted from the terminal.

    It interrupts all that run there; workers end with us, and have nothing to say of it. For as long,
    some seconds, we are not interrupted either.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def discharge_on(client: Client, names: Sequence[str], run: Run) -> Iterator[Found]:
    """Discharge obligations of the catalogue on a cluster, yielding each record as it comes.

    What log or cache have is not asked for again. A worker that dies costs what it was at; that is
    given to another, up to ``DEATHS`` times.

    Raises:
        ClusterError: if the scheduler or all workers are lost; what came until then is in the log.
    """
    from distributed import CancelledError, KilledWorker

    futures: dict[Future[Reply], Obligation] = {}
    submitted: dict[str, Future[Reply]] = {}
    proved: set[str] = set()
    for name in names:
        obligation = theorem(name)
        if found := run.found(obligation):
            proved |= {name} if found.outcome is Outcome.PROVED else set()
            yield found
            continue
        package = obligation.package
        task = Task(name, run.timeout, run.cache is not None, source_sha256(package), versions(package))
        units = [submitted[unit] for unit in _units(obligation) if unit in submitted]
        submitted[name] = client.submit(answer, task, units, key=f"{name}-{id(run)}", pure=False)
        futures[submitted[name]] = obligation
    programs = []
    for future in _as_they_end(client, list(futures)):
        obligation = futures[future]
        try:
            reply = future.result()
        except KilledWorker:
            reply = Reply(trouble=LOST)
        except (CancelledError, OSError):
            raise ClusterError(
                "the cluster's scheduler is lost; run the same command again, and it goes on"
            ) from None
        if obligation.rests_on:
            programs.append((obligation, reply))
            continue
        yield (found := _accepted(obligation, run, reply))
        proved |= {found.theorem} if found.outcome is Outcome.PROVED else set()
    for obligation, reply in programs:  # a worker believed what it was given of units
        missing = [unit for unit in _units(obligation) if unit not in proved]
        if missing:
            reply = Reply(trouble=f"it rests on {missing[0]}, which is not proved here")
        yield _accepted(obligation, run, reply)


def _as_they_end(client: Client, futures: list[Future[Reply]]) -> Iterator[Future[Reply]]:
    """Futures, each when there is something to be had of it.

    Workers leave when their scheduler dies, and one that is started again has none: what it was given
    meanwhile would wait for ever, and nobody be told.
    """
    from distributed import as_completed

    waiting = as_completed(futures)
    asked = peopled = time.monotonic()
    while not waiting.is_empty():
        ended = waiting.next_batch(block=False)
        yield from ended
        if ended:
            peopled = time.monotonic()
            continue
        time.sleep(GLANCE)
        if time.monotonic() > asked + ANSWERING:
            if _has_workers(client):
                peopled = time.monotonic()
            elif time.monotonic() > peopled + DESERTED:
                raise ClusterError(
                    "the cluster has no workers; start some, run the same command again, and it goes on"
                )
            asked = time.monotonic()


def _has_workers(client: Client) -> bool:
    """Whether a scheduler answers, and has workers."""
    scheduler = client.scheduler
    try:
        return bool(scheduler and client.sync(scheduler.identity, callback_timeout=ANSWERING)["workers"])
    except OSError:
        return False


def _units(obligation: Obligation) -> list[str]:
    """Theorems that a program's rests on; a worker is given what others found of them."""
    return [unit.name for unit in with_units([obligation])[:-1]]


# --- what comes back ----------------------------------------------------------------------------


def _accepted(obligation: Obligation, run: Run, reply: Reply) -> Found:
    """A worker's answer, in log and cache, once it is known to be true."""
    with TemporaryDirectory(prefix="spikeproof-") as folder:
        archive = Archive(Path(folder))
        blank = blank_record(obligation, run.timeout)
        try:
            record = _checked(blank, archive, reply)
        except _TroubleError as error:
            record = replace(blank, outcome=Outcome.ERROR, message=str(error))
        record = sealed(record)
        if run.cache and not run.cache.read_only:
            for certificate in record.certificates:
                run.cache.archive.adopt(certificate, archive)
            run.cache.keep_record(record)
        return run.keep(obligation, reply.origin, record, archive)


class _TroubleError(Exception):
    """Why a worker's answer is none."""


SAID = (
    "theorem",
    "package",
    "statement",
    "parameters",
    "expected",
    "seed",
    "notes",
    "source_sha256",
)
"""What a record says of the theorem, and not of what became of it."""


def _checked(blank: Record, archive: Archive, reply: Reply) -> Record:
    """The record that a worker sent, its certificates in the archive.

    Args:
        blank: of the same theorem, as it is stated here.

    Raises:
        _TroubleError: if there is none, or it is not what it should be.
    """
    if reply.trouble:
        raise _TroubleError(reply.trouble)
    try:
        record = msgspec.json.decode(reply.record, type=Record)
    except msgspec.MsgspecError as error:
        raise _TroubleError(f"what a worker sent is no record: {error}") from None
    for field in SAID:
        if getattr(record, field) != getattr(blank, field):
            raise _TroubleError(f"a worker sent a record of another {field.removesuffix('_sha256')}")
    if not record.decided:
        return replace(blank, outcome=record.outcome, message=record.message, seconds=record.seconds)
    for certificate in record.certificates:
        content = reply.certificates.get(certificate.sha256)
        if content is None or archive.keep(certificate.kind, content) != certificate:
            raise _TroubleError(f"a worker sent no certificate {certificate.sha256}, or another")
    if not is_sealed(record):
        refusal = Verifier(archive).verify(record).refusal
        if refusal:
            raise _TroubleError(f"what a worker sent does not verify: {refusal}")
    return record


# --- on a worker --------------------------------------------------------------------------------


def answer(task: Task, units: Sequence[Reply]) -> Reply:
    """What becomes of a theorem on this machine; in a process of its own, which may fork as it likes.

    Args:
        units: what was answered of theorems that it rests on. They are believed here, since they are
            checked where this answer is.
    """
    try:
        return _process().submit(_answer, task, units).result()
    except BrokenProcessPool:
        _process.cache_clear()
        return Reply(trouble=LOST)


@cache
def _process() -> ProcessPoolExecutor:
    """The process in which a worker's theorems are discharged, one after another.

    The worker has threads, which would be lost in the children that engines run in.
    """
    return ProcessPoolExecutor(1, get_context("spawn"), die_with_parent)


def _answer(task: Task, units: Sequence[Reply]) -> Reply:
    obligation = theorem(task.theorem)
    here = (source_sha256(obligation.package), versions(obligation.package))
    if here != (task.source, task.libraries):
        return Reply(trouble="a worker has another source, or other versions of libraries")
    with TemporaryDirectory(prefix="spikeproof-") as folder:
        mine = Cache.default()
        place = mine if task.cached and not mine.read_only else Cache(Path(folder))
        for unit in units:
            _lay_down(unit, place)
        found = Run(task.timeout, cache=place).discharge(obligation)
        certificates = {each.sha256: place.archive.content(each) for each in found.certificates}
        origin = CACHED if found.origin else ""
        return Reply(file_content(found.record), certificates, origin)


def _lay_down(unit: Reply, place: Cache) -> None:
    if unit.trouble:
        return
    record = msgspec.json.decode(unit.record, type=Record)
    for certificate in record.certificates:
        place.archive.keep(certificate.kind, unit.certificates[certificate.sha256])
    place.keep_record(sealed(record))
