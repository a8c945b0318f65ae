"""Makes ``pytest proofs/`` write the proof log, keep the ledger, and end with the table of theorems."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from spikeproof.proofs.neuron_counts import neuron_counts_table
from spikeproof.proofs.programs import FAMILY
from spikeproof.prover.claims.catalogue import own, profile_name, with_units
from spikeproof.prover.claims.obligation import DEFAULT_TIMEOUT, Named, Obligation, Profile
from spikeproof.prover.commands.console import PIPE_WIDTH
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.files import StorageError
from spikeproof.prover.evidence.ledger import ledger_path, read, unfulfilled
from spikeproof.prover.evidence.log import Log, LogError, default_log_directory
from spikeproof.prover.evidence.record import Found
from spikeproof.prover.evidence.shards import Shard, ShardError
from spikeproof.prover.report.tables import audit_text, rendered, results_table, summary
from spikeproof.prover.running.run import Run, drawn

# As many processes prove as there are cores; NumPy's threads would only wait for one another there. The
# processes read this when they begin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

PROPERTY = "spikeproof_record"
MOST_LINES = 20
"""Of broken promises that are shown; the rest are counted."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this suite."""
    parser.addoption("--wide", action="store_true", help="also prove what takes minutes (FP64)")
    parser.addoption(
        "--shard",
        metavar="I/N",
        help="only the I-th of N parts that take about as long; see spikeproof merge",
    )
    parser.addoption(
        "--proof-timeout",
        type=float,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help="seconds that each theorem may take (default: %(default)s)",
    )
    parser.addoption(
        "--proof-log",
        type=Path,
        metavar="DIR",
        help="write the proof log there (default: SPIKEPROOF_LOG, or proof-log)",
    )
    parser.addoption("--no-cache", action="store_true", help="prove anew what was proved before")
    parser.addoption(
        "--audit",
        type=int,
        default=0,
        metavar="N",
        help="check again so many of the theorems that were proved before, drawn at random",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep the books in the process that sees all results."""
    shard(config)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Books(config))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each theorem of the profile asked for."""
    if "obligation" in metafunc.fixturenames:
        named = promised(metafunc.config)
        if part := shard(metafunc.config):
            named = part.of(named)
        names = [each.name for each in named]
        metafunc.parametrize("obligation", names, ids=names, indirect=True)


@pytest.fixture
def obligation(request: pytest.FixtureRequest) -> Obligation:
    """Made where it is discharged: every process collects the names of all."""
    return own()[request.param]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """The catalogue stays: garbage is not looked for among it, again and again."""
    gc.freeze()


def promised(config: pytest.Config) -> list[Named]:
    """What the profile asked for promises."""
    wide = config.getoption("--wide")
    return [each for each in own().named() if wide or each.profile is Profile.DEFAULT]


def shard(config: pytest.Config) -> Shard | None:
    """Which part of that is asked for, if not all of it."""
    text = config.getoption("--shard")
    try:
        return Shard.read(text) if text else None
    except ShardError as error:
        raise pytest.UsageError(f"--shard: {error}") from None


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> Run:
    """How theorems are discharged, and where the evidence goes."""
    config = request.config
    run_id = getattr(config, "workerinput", {}).get("testrunuid") or uuid4().hex
    names = theorems(item.nodeid for item in request.session.items)
    return Run(
        config.getoption("--proof-timeout"),
        log=Log(log_directory(config)),
        cache=cache(config),
        audited=drawn(names, config.getoption("--audit"), run_id),
    )


def theorems(ids: Iterable[str]) -> list[str]:
    """The theorems among the names of tests."""
    return [each.rpartition("[")[2].rstrip("]") for each in ids if each.endswith("]")]


def log_directory(config: pytest.Config) -> Path:
    """Where the proof log is to be."""
    asked: Path | None = config.getoption("--proof-log")
    return (asked or default_log_directory()).absolute()


def cache(config: pytest.Config) -> Cache | None:
    """The cache that is to be used."""
    return None if config.getoption("--no-cache") else Cache.default()


class Books:
    """Keeps log and ledger of a run, of all its processes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._log: Log | None = None
        self._collected: set[str] = set()
        self._records: dict[str, Found] = {}
        self._broken: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin the log, in a run of one process."""
        self._begin([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Begin the log, where other processes do the work."""
        self._begin(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down the record that comes with a report."""
        for key, data in report.user_properties:
            if key == PROPERTY and report.when == "call" and isinstance(data, dict):
                self._records[data["theorem"]] = msgspec.convert(data, Found)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End the log, and fail the run if a promise is not kept."""
        if self._log is None:
            return
        records = self._records.values()
        self._broken = unfulfilled(
            read(ledger_path()), records, wide=self._config.getoption("--wide"), whole=self._whole
        )
        try:
            self._log.end(
                discharged=sum(record.green for record in records),
                complete=self._collected == set(self._records),
            )
        except (LogError, StorageError) as error:
            self._broken.insert(0, error.format_message())
        if self._broken and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print one row a theorem, neuron counts beside the published ones, and broken promises."""
        if self._log is None or not self._records:
            return
        terminal = terminalreporter._tw
        width = terminal.fullwidth if terminal.hasmarkup else PIPE_WIDTH
        records = [self._records[name] for name in own() if name in self._records]
        terminalreporter.section("theorems")
        verbose = self._config.get_verbosity() > 0
        terminalreporter.write(rendered(results_table(records, verbose), width))
        terminalreporter.section("neuron counts")
        terminalreporter.write(rendered(neuron_counts_table(), width))
        if self._broken:
            terminalreporter.section("broken promises")
            for line in self._broken[:MOST_LINES]:
                terminalreporter.write_line(line)
            if len(self._broken) > MOST_LINES:
                terminalreporter.write_line(f"and {len(self._broken) - MOST_LINES} more")
        terminalreporter.write_line(summary(records))
        if count := self._config.getoption("--audit"):
            terminalreporter.write_line(audit_text(records, count))
        terminalreporter.write_line(f"proof log: {self._log.directory}")

    @property
    def _whole(self) -> bool:
        """Whether all of the profile was asked for."""
        return self._collected >= {each.name for each in promised(self._config)}

    def _begin(self, ids: Sequence[str]) -> None:
        if self._log or not theorems(ids) or self._config.option.collectonly:
            return
        programs = [own()[name] for name in theorems(ids) if name.startswith(f"{FAMILY}.")]
        self._collected = {*theorems(ids), *(each.name for each in with_units(programs))}
        try:
            if keeper := cache(self._config):
                keeper.require_usable()
            self._log = Log.begin(
                log_directory(self._config),
                command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
                profile=profile_name(wide=self._config.getoption("--wide")) if self._whole else "part",
                promised=len(self._collected),
            )
        except StorageError as error:
            raise pytest.UsageError(error.format_message()) from None
