"""Makes ``pytest proofs/`` end with the table of theorems."""

from collections.abc import Iterator

import pytest

from proofs.neuron_counts import neuron_counts_table
from prover.catalogue import catalogue, promised
from prover.discharge import DEFAULT_TIMEOUT
from prover.record import Record
from prover.tables import PIPE_WIDTH, rendered, results_table, summary

PROPERTY = "spikeproof_result"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this suite."""
    parser.addoption("--wide", action="store_true", help="also prove what takes minutes (FP64)")
    parser.addoption(
        "--proof-timeout",
        type=float,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help="seconds that each theorem may take (default: %(default)s)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each theorem of the profile asked for."""
    if "obligation" in metafunc.fixturenames:
        obligations = promised(wide=metafunc.config.getoption("--wide"))
        metafunc.parametrize("obligation", obligations, ids=[o.name for o in obligations])


def _results(reporter: pytest.TerminalReporter) -> Iterator[Record]:
    for outcome in ("passed", "failed"):
        for report in reporter.stats.get(outcome, []):
            for key, record in getattr(report, "user_properties", []):
                if key == PROPERTY and report.when == "call":
                    yield Record.from_json(record)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one row a theorem, and the neuron counts beside the published ones."""
    position = {name: index for index, name in enumerate(catalogue())}
    results = sorted(_results(terminalreporter), key=lambda result: position[result.theorem])
    if not results:
        return
    terminal = terminalreporter._tw
    width = terminal.fullwidth if terminal.hasmarkup else PIPE_WIDTH
    terminalreporter.section("theorems")
    terminalreporter.write(rendered(results_table(results), width))
    terminalreporter.section("neuron counts")
    terminalreporter.write(rendered(neuron_counts_table(), width))
    terminalreporter.write_line(summary(results))
