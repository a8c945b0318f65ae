"""A log as JUnit XML: a test case for each theorem, passed only if it is as promised."""

from __future__ import annotations

import re

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.evidence.log import Contents
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.report.summary import failures, groups
from spikeproof.prover.report.tables import outcome_text

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

VERDICTS: dict[Outcome, type[Failure] | type[Error]] = {
    Outcome.PROVED: Failure,
    Outcome.REFUTED: Failure,
    Outcome.TIMEOUT: Error,
    Outcome.UNKNOWN: Error,
    Outcome.ERROR: Error,
}
"""What an outcome counts as where it is not the promised one: JUnit has no word for undecided."""


def junit_xml(log: Contents) -> str:
    """The test cases, in a suite for each format and family."""
    document = JUnitXml("spikeproof")
    suites: dict[str, TestSuite] = {}
    for group in groups(log.records):
        suite = suites.setdefault(group.subject, TestSuite(printable(group.subject)))
        suite.add_testcases([_case(record) for record in group.records])
    if not log.manifest.complete:
        suites["manifest"] = TestSuite("manifest")
        suites["manifest"].add_testcase(_incomplete(log))
    for suite in suites.values():
        suite.timestamp = log.manifest.started.isoformat(timespec="seconds")
        document.add_testsuite(suite)
    document.update_statistics()
    return str(document.tostring().decode()) + "\n"


def _case(record: Record) -> TestCase:
    case = TestCase(printable(record.theorem), printable(record.theorem.split(".")[0]), record.seconds)
    if not record.green:
        verdict = VERDICTS[record.outcome](outcome_text(record), record.outcome.value)
        verdict.text = printable(f"{record.statement}\n{record.message}")
        case.result = verdict
    return case


def _incomplete(log: Contents) -> TestCase:
    case = TestCase("complete", "manifest")
    case.result = Error(" ".join(failures(log)), "incomplete")
    return case


def printable(text: str) -> str:
    """Text without the characters that XML cannot carry."""
    return NOT_IN_XML.sub("\ufffd", text)
