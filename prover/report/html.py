"""A log as one page that needs nothing else: no network, and no folder beside it."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec
from markupsafe import Markup

from prover.report.counterexamples import counterexample
from prover.report.plots import NEURONS, TIME, plots
from prover.report.reading import Lemma, Log, Record
from prover.report.summary import cautions, counted, failures, family, not_green, outcomes, seconds_text
from prover.report.templating import environment
from prover.tables import outcome_text

SHOWN_DIGITS = 16
"""Of the SHA-256s in lemma trees, of which there may be tens of thousands; the log has them whole."""

FILTERS = {
    "outcome": "Outcome",
    "family": "Family",
    "format": "Format",
    "operation": "Operation",
    "mode": "Rounding mode",
    "policy": "Overflow policy",
    "library": "Gate library",
    "engine": "Engine",
}
"""What the table can be filtered by, and the words for it."""


def html_page(log: Log) -> str:
    """The page of a log."""
    templates = environment()
    script = templates.get_template("page.js").render()
    return templates.get_template("page.html").render(
        log=log,
        style=Markup(templates.get_template("page.css").render()),
        script=Markup(script),
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        data=_json_in_html([_data(record) for record in log.records]),
        failures=failures(log),
        cautions=cautions(log),
        outcomes=outcomes(log.records),
        filters=_filters(log.records),
        red=not_green(log.records),
        promised_refutations=[r for r in log.records if r.green and r.counterexample is not None],
        counterexample=counterexample,
        plots={
            "Time to a proof": plots(log.records, TIME),
            "Neurons, by gate library": plots(log.records, NEURONS),
        },
        counted=counted,
        outcome=outcome_text,
        seconds=seconds_text,
    )


def _data(record: Record) -> dict[str, Any]:
    """What the page's script knows of a theorem; nothing that its row says already."""
    facts: dict[str, Any] = {
        "facets": _facets(record),
        "parameters": record.parameters,
        "seconds": record.seconds,
        "memory": record.peak_memory_mib,
        "promised": record.expected.value,
        "engines": [f"{engine.label} {engine.options}".strip() for engine in record.engines],
        "seed": record.seed,
        "timeout": record.timeout,
        "message": record.message if not record.green or record.counterexample is None else "",
        "netlist": record.netlist,
        "spec": record.spec_sha256,
        "seal": record.seal,
        "lemmas": [_lemma(lemma) for lemma in record.lemmas],
    }
    return {name: value for name, value in facts.items() if value}


def _facets(record: Record) -> dict[str, list[str]]:
    own = {
        "outcome": [outcome_text(record), *([] if record.green else ["not as promised"])],
        "family": [family(record)],
        "engine": [engine.label for engine in record.engines],
    }
    return {name: [value] for name, value in record.parameters.items() if name in FILTERS} | own


def _lemma(lemma: Lemma) -> list[Any]:
    """A lemma as a row, for brevity."""
    return [
        lemma.name,
        lemma.kind,
        (lemma.formula_sha256 or "")[:SHOWN_DIGITS],
        (lemma.cnf_sha256 or "")[:SHOWN_DIGITS],
        lemma.merges,
        [[answer.engine, answer.status, answer.seconds] for answer in lemma.answers],
        [[c.kind, c.sha256[:SHOWN_DIGITS], c.bytes] for c in lemma.certificates],
    ]


def _filters(records: Iterable[Record]) -> list[tuple[str, str, Counter[str]]]:
    """Name, label and values of each filter that tells theorems apart."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FILTERS}
    for record in records:
        for name, values in _facets(record).items():
            counts[name].update(values)
    return [(name, FILTERS[name], values) for name, values in counts.items() if len(values) > 1]


def _json_in_html(data: Any) -> Markup:
    """JSON in which nothing can end the element that it is put in."""
    text = msgspec.json.encode(data).decode()
    return Markup(text.translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}))
