"""A log as one page that needs nothing else: no network, and no folder beside it."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec
from markupsafe import Markup

from spikeproof.prover.evidence.log import Contents
from spikeproof.prover.evidence.record import Lemma, Record
from spikeproof.prover.report.counterexamples import counterexample, fields_shown
from spikeproof.prover.report.margin_plots import margin_plots
from spikeproof.prover.report.plots import NEURONS, TIME, plots
from spikeproof.prover.report.summary import (
    cautions,
    counted,
    failures,
    family,
    not_green,
    outcomes,
    outcomes_text,
    seconds_text,
)
from spikeproof.prover.report.tables import outcome_text
from spikeproof.prover.report.templating import environment

SHOWN_DIGITS = 16
"""Of the SHA-256s in lemma trees, of which there may be tens of thousands; the log has them whole."""

PAGE = 250
"""Theorems shown until more are asked for: thousands of rows take a browser seconds to draw."""

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


def html_page(log: Contents) -> str:
    """The page of a log."""
    templates = environment()
    red = not_green(log.records)
    script = templates.get_template("page.js").render()
    return templates.get_template("page.html").render(
        log=log,
        style=Markup(templates.get_template("page.css").render()),
        script=Markup(script),
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        data=_packed([_data(record) for record in log.records]),
        failures=failures(log),
        cautions=cautions(log),
        kept=outcomes(record for record in log.records if record.green),
        broken=outcomes_text(red),
        filters=_filters(log.records),
        red=red,
        page=PAGE,
        promised_refutations=[r for r in log.records if r.green and r.counterexample is not None],
        counterexample=counterexample,
        fields=fields_shown,
        plots={
            "Time to a proof": plots(log.records, TIME),
            "Neurons, by gate library": plots(log.records, NEURONS),
        },
        margins=margin_plots(log.records),
        counted=counted,
        outcome=outcome_text,
        seconds=seconds_text,
    )


def _data(record: Record) -> dict[str, Any]:
    """What the page's script knows of a theorem; nothing that its row says already."""
    facts: dict[str, Any] = {
        "facets": _facets(record),
        "seconds": record.seconds,
        "memory": record.peak_memory_mib,
        "promised": record.expected.value,
        "engines": [
            f"{engine.label} ({engine.options})" if engine.options else engine.label
            for engine in record.engines
        ],
        "seed": record.seed,
        "timeout": record.timeout,
        "message": record.message,
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
    return {name: [value] for name, value in record.parameters.items()} | own


def _lemma(lemma: Lemma) -> list[Any]:
    """A lemma as a row, for brevity."""
    return [
        lemma.name,
        lemma.kind,
        (lemma.formula_sha256 or "")[:SHOWN_DIGITS],
        (lemma.cnf_sha256 or "")[:SHOWN_DIGITS],
        [[reply.engine, reply.status, reply.seconds] for reply in lemma.replies],
        [[c.kind, c.sha256[:SHOWN_DIGITS], c.size] for c in lemma.certificates],
    ]


def _filters(records: Iterable[Record]) -> list[tuple[str, str, Counter[str]]]:
    """Name, label and values of each filter that tells theorems apart."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FILTERS}
    for record in records:
        facets = _facets(record)
        for name, values in counts.items():
            values.update(facets.get(name, ()))
    return [(name, FILTERS[name], values) for name, values in counts.items() if len(values) > 1]


def _packed(data: Any) -> str:
    """JSON, a tenth of its size: there may be tens of thousands of lemmas."""
    return b64encode(zlib.compress(msgspec.json.encode(data), 9)).decode()
