"""Theorems discharged on other machines: tasks of dask.distributed, whose results nobody believes.

A worker sends a record with its certificates. What it decided is accepted where it is sealed with our
key, which machines that share the secret ``SPIKEPROOF_SEAL`` have, and else where it verifies: as
``spikeproof verify`` would check it. Log and cache are written here alone.

Dask itself runs what a worker or a scheduler sends it: a cluster is of machines that may be mistaken,
or killed at any moment, but mean no harm.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from spikeproof.circuits.netlist import OneLineError
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.catalogue import catalogue, theorem, with_units
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.engines.pool import LOST
from spikeproof.prover.evidence.archive import Archive, Parcel
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.record import CACHED, Found, Record, blank_record, file_content
from spikeproof.prover.evidence.seal import is_sealed, sealed
from spikeproof.prover.evidence.shards import batches, longest_first
from spikeproof.prover.evidence.source import source_sha256, versions
from spikeproof.prover.running.apart import (
    DEATHS,
    DiedError,
    apart,
    end,
    fork_here,
    packed,
    serve,
    unpacked,
)
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.inquiry import Keeping
from spikeproof.prover.running.run import Run
from spikeproof.prover.running.stages import silently

if TYPE_CHECKING:
    from distributed import Client, Future

Key = TypeVar("Key")
Result = TypeVar("Result")

LOCAL = "local"
"""A worker in this process, with a thread for each job."""

QUIET = {
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "1h",
}
"""What Dask looks at many times a second, and nobody here asks about."""

ANSWERING = 10.0
"""Seconds that a scheduler has to answer."""

DESERTED = 60.0
"""Seconds that a scheduler which is lost has to come back, and that workers have."""

GLANCE = 1.0
"""Seconds from one look at whether the scheduler is lost to the next."""

LOSSES = 3
"""So many schedulers may be lost before anything is done."""

GONE = "the cluster's scheduler is lost"


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
    """What it answers: the record as a file, and its certificates as a parcel's; or why not."""

    record: bytes = b""
    certificates: Mapping[str, bytes] = field(default_factory=dict)
    origin: str = ""
    trouble: str = ""


class _LostError(Exception):
    """The scheduler died, or another has its place: what it was asked is forgotten."""


@dataclass(frozen=True)
class Cluster:
    """Workers of Dask's, for tasks as ``engines.pool.results`` has them.

    A scheduler holds nothing that it could not be told again. Its workers end with it: whoever starts
    it again starts them too.

    Attributes:
        address: of the scheduler.
        told: what is done when there is something to wait for.
        threads: of its workers, when it was found.
    """

    address: str
    told: Callable[[str], None]
    threads: int = 0

    def results(
        self,
        work: Callable[..., Result],
        tasks: Mapping[Key, tuple[Any, ...]],
        lost: Callable[[Key], Result],
    ) -> Iterator[tuple[Key, Result]]:
        """What becomes of each task, as it comes.

        A worker that dies costs what it was at; that is given to another, up to ``DEATHS`` times.

        Args:
            work: a function that processes can be given, and its arguments are ``tasks``.
            lost: what becomes of a task that kills whoever takes it.

        Raises:
            ClusterError: if the scheduler is lost, and does not come back.
        """
        left, losses, patience = dict(tasks), 0, 0.0
        while left:
            try:
                with self.client(patience) as client:
                    for key, result in self._asked(client, work, left, lost):
                        losses = 0
                        del left[key]
                        yield key, result
            except _LostError:
                losses, patience = losses + 1, DESERTED
                if losses > LOSSES:
                    raise ClusterError(f"{GONE}; run the same command again, and it goes on") from None
                self.told(f"{GONE}; asking again for what is left")

    @contextmanager
    def client(self, patience: float) -> Iterator[Client]:
        """A new connection.

        Args:
            patience: seconds for which nobody has to be there.

        Raises:
            ClusterError: if nobody does.
        """
        from distributed import Client

        until = time.monotonic() + patience
        while True:
            try:
                client = Client(self.address, timeout=ANSWERING, set_as_default=False)
                break
            except (OSError, ValueError) as error:
                if time.monotonic() > until or isinstance(error, ValueError):
                    raise ClusterError(
                        f"no scheduler of Dask answers at {self.address!r}: "
                        f"{str(error).splitlines()[0]}; give its address, as tcp://HOST:8786, or {LOCAL}"
                    ) from None
                time.sleep(1)
        try:
            yield client
        finally:
            with suppress(Exception):  # of a connection that nobody needs any more
                client.close(timeout=ANSWERING)

    def _asked(
        self,
        client: Client,
        work: Callable[..., Result],
        tasks: Mapping[Key, tuple[Any, ...]],
        lost: Callable[[Key], Result],
    ) -> Iterator[tuple[Key, Result]]:
        """The same over one connection.

        Raises:
            _LostError: if it breaks. Dask would connect again, and say nothing of what was forgotten.
        """
        from distributed import CancelledError, KilledWorker
        from distributed.client import ClosedClientError
        from distributed.comm.core import CommClosedError

        done: SimpleQueue[Future[bytes]] = SimpleQueue()
        connection = client.scheduler_comm
        pending: dict[Future[bytes], Key] = {}
        try:
            for key, arguments in tasks.items():
                future = client.submit(apart, packed(work, arguments), pure=False)
                pending[future] = key
                future.add_done_callback(done.put)
            while pending:
                future = self._next(client, connection, done)
                try:
                    result = unpacked(future.result(ANSWERING))
                except (KilledWorker, DiedError):
                    result = lost(pending[future])
                except TimeoutError:
                    if future.status == "error":
                        raise
                    future.add_done_callback(done.put)  # who had it died: another does it again
                    continue
                yield pending.pop(future), result
        except (CancelledError, ClosedClientError, CommClosedError):
            raise _LostError from None

    def _next(
        self, client: Client, connection: object, done: SimpleQueue[Future[bytes]]
    ) -> Future[bytes]:
        """The next task that is done.

        Raises:
            _LostError: if the connection is another, or the scheduler says nothing.
            ClusterError: if there are no workers.
        """
        scheduler = client.scheduler
        asked = peopled = time.monotonic()
        while scheduler and client.scheduler_comm is connection and client.status == "running":
            with suppress(Empty):
                return done.get(timeout=GLANCE)
            if time.monotonic() < asked + ANSWERING:
                continue
            try:
                identity = client.sync(scheduler.identity, callback_timeout=ANSWERING)
            except OSError:
                break
            asked = time.monotonic()
            if identity["workers"]:
                peopled = asked
            elif asked > peopled + DESERTED:
                raise ClusterError(
                    "the cluster has no workers; start some, run the same command again, and it goes on"
                )
        raise _LostError


@contextmanager
def connected(
    cluster: str, jobs: int | None, told: Callable[[str], None] = silently
) -> Iterator[Cluster]:
    """A cluster, by the address of its scheduler; or a new one on this machine.

    Args:
        jobs: workers of a new one; by default one for each core.
        told: what is done when there is something to wait for.

    Raises:
        ClusterError: if nobody answers at the address.
    """
    with ExitStack() as stack:
        gc.freeze()  # the catalogue stays: garbage is not looked for among it, nor by who is forked
        if cluster == LOCAL:
            fork_here()  # before Dask has threads
            stack.callback(end)
        from dask import config
        from distributed import LocalCluster

        stack.enter_context(config.set({"distributed.scheduler.allowed-failures": DEATHS, **QUIET}))
        if cluster == LOCAL:
            workers = LocalCluster(
                n_workers=1,
                threads_per_worker=jobs or os.cpu_count() or 1,
                processes=False,
                memory_limit=0,
                dashboard_address=None,
                scheduler_kwargs={
                    "dashboard_address": "127.0.0.1:0"
                },  # its server of HTTP is there still
                silence_logs="CRITICAL",
            )
            cluster = stack.enter_context(workers).scheduler_address
            stack.callback(end)  # else Dask would wait for what they are at
        found = Cluster(cluster, told)
        with found.client(0) as client:
            threads = sum(client.nthreads().values())
        yield replace(found, threads=threads)


def discharge_on(cluster: Cluster, names: Sequence[str], run: Run) -> Iterator[Found]:
    """Discharge obligations of the catalogue on a cluster, yielding each record as it comes.

    What log or cache have is not asked for again. Programs' come after what they rest on.

    Raises:
        ClusterError: if the scheduler is lost; what came until then is in the log.
    """
    proved: set[str] = set()
    replies: dict[str, Reply] = {}
    obligations = longest_first(map(theorem, names))
    needed = {unit for each in obligations if each.rests_on for unit in _units(each)}
    for programs in (False, True):
        asked = {}
        for obligation in obligations:
            if (obligation.rests_on is not None) is not programs:
                continue
            name, package = obligation.name, obligation.package
            units = _units(obligation)
            if missing := [unit for unit in units if unit not in proved]:
                trouble = f"it rests on {missing[0]}, which is not proved here"
                yield _accepted(obligation, run, Reply(trouble=trouble))
                continue
            if found := run.found(obligation):
                proved |= {name} if found.outcome is Outcome.PROVED else set()
                yield found
                continue
            task = Task(
                name, run.timeout, run.cache is not None, source_sha256(package), versions(package)
            )
            asked[name] = (task, [replies[unit] for unit in units if unit in replies])
        for name, reply in _replies(cluster, asked):
            yield (found := _accepted(theorem(name), run, reply))
            if found.outcome is Outcome.PROVED:
                proved.add(name)
                if name in needed:
                    replies[name] = reply


Asked = tuple[Task, Sequence[Reply]]
"""A theorem, and what was answered of those that it rests on, and accepted."""


def _replies(cluster: Cluster, asked: Mapping[str, Asked]) -> Iterator[tuple[str, Reply]]:
    """What workers answer of each theorem, short ones together in a task.

    Where whoever takes several dies of it, or leaves some out, each that is missing is asked for alone.
    """
    together = [tuple(each.name for each in batch) for batch in batches(map(theorem, asked))]
    while together:
        tasks = {names: ([asked[name] for name in names],) for names in together}
        together = []
        for names, replies in cluster.results(answers, tasks, lambda _: {}):
            answered = {name: replies[name] for name in names if name in replies}
            yield from answered.items()
            missing = [name for name in names if name not in answered]
            if len(names) > 1:
                together += [(name,) for name in missing]
            else:
                yield from ((name, Reply(trouble=LOST)) for name in missing)


def _units(obligation: Obligation) -> list[str]:
    """Theorems that a program's rests on; a worker is given what others found of them."""
    return [unit.name for unit in with_units([obligation])[:-1]]


# --- what comes back ----------------------------------------------------------------------------


def _accepted(obligation: Obligation, run: Run, reply: Reply) -> Found:
    """A worker's answer, in log and cache, once it is known to be true."""
    archive: Archive = Parcel(files=dict(reply.certificates))
    blank = blank_record(obligation, run.timeout)
    try:
        record = _checked(blank, archive, reply)
    except _TroubleError as error:
        record = sealed(replace(blank, outcome=Outcome.ERROR, message=str(error)))
    if run.cache and not run.cache.read_only:
        for certificate in record.certificates:
            run.cache.archive.adopt(certificate, archive)
        run.cache.keep_record(record)
        archive = run.cache.archive  # whose files the log can share
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
    """The record that a worker sent, sealed.

    Args:
        blank: of the same theorem, as it is stated here.
        archive: has the certificates that came with it.

    Raises:
        _TroubleError: if there is none, or it is not what it should be.
    """
    if reply.trouble:
        raise _TroubleError(reply.trouble)
    try:
        record = msgspec.json.decode(reply.record, type=Record)
    except msgspec.MsgspecError as error:
        raise _TroubleError(f"what a worker sent is no record: {error}") from None
    for said in SAID:
        if getattr(record, said) != getattr(blank, said):
            raise _TroubleError(f"a worker sent a record of another {said.removesuffix('_sha256')}")
    if not record.decided:
        outcome, message, seconds = record.outcome, record.message, record.seconds
        return sealed(replace(blank, outcome=outcome, message=message, seconds=seconds))
    for certificate in record.certificates:
        if not archive.holds(certificate):
            raise _TroubleError(f"a worker sent no certificate {certificate.sha256}, or another")
    if is_sealed(record):
        return record
    if refusal := Verifier(archive).verify(record).refusal:
        raise _TroubleError(f"what a worker sent does not verify: {refusal}")
    return sealed(record)


# --- on a worker --------------------------------------------------------------------------------


def serving(handle: int) -> None:
    """The fork server of a worker's tasks: with all theorems stated, once for all its children.

    And with the source's hash, which children must not ask for when other files may be there.
    """
    source_sha256()
    for obligation in catalogue().values():
        source_sha256(obligation.package)
    gc.freeze()
    serve(Connection(handle))


def answers(asked: Sequence[Asked]) -> dict[str, Reply]:
    """What becomes of each theorem on this machine, one after another."""
    return {task.theorem: answer(task, units) for task, units in asked}


def answer(task: Task, units: Sequence[Reply]) -> Reply:
    """What becomes of a theorem on this machine.

    Args:
        units: what was answered of theorems that it rests on, and was accepted.
    """
    obligation, cache = theorem(task.theorem), Cache.default()
    here = (source_sha256(obligation.package), versions(obligation.package))
    if here != (task.source, task.libraries):
        return Reply(trouble="a worker has another source, or other versions of libraries")
    if task.cached and not cache.read_only:
        return _by_cache(obligation, task, units, cache)
    given = {record.theorem: record for record in map(_record, units)}
    parcel = Parcel()

    def settled(unit: Obligation) -> Record:
        return given.get(unit.name) or discharge(unit, task.timeout, settled=settled)

    record = discharge(obligation, task.timeout, keeping=Keeping(parcel), settled=settled)
    return Reply(file_content(sealed(record)), parcel.files)


def _by_cache(obligation: Obligation, task: Task, units: Sequence[Reply], cache: Cache) -> Reply:
    """The same, kept on this machine too."""
    for unit in units:
        for certificate in _record(unit).certificates:
            cache.archive.adopt(certificate, Parcel(files=dict(unit.certificates)))
        cache.keep_record(sealed(_record(unit)))
    found, parcel = Run(task.timeout, cache=cache).discharge(obligation), Parcel()
    for certificate in found.certificates:
        parcel.adopt(certificate, cache.archive)
    return Reply(file_content(found.record), parcel.files, CACHED if found.origin else "")


def _record(reply: Reply) -> Record:
    record: Record = msgspec.json.decode(reply.record, type=Record)
    return record
