"""What was decided of a circuit that somebody brought, for people: the verdict, and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.evidence.record import Found, Record

CERTIFICATES = {
    "drat": ("clausal proof", "clausal proofs"),
    "telescoping": ("log of algebra", "logs of algebra"),
    "model": ("model", "models"),
}
"""What can be checked again without an engine, in words."""


def verdict_text(source: str, record: Record, function: str) -> str:
    """What was decided, in one sentence.

    Args:
        function: what the circuit was to compute.
    """
    match record.outcome:
        case Outcome.PROVED:
            return f"PROVED: {source} computes, on every input, {function}"
        case Outcome.REFUTED:
            other = f"; nearest is {record.nearest}" if record.nearest else ""
            return f"REFUTED: {source} does not compute {function}{other}"
        case Outcome.ERROR:
            return f"ERROR: it could not be asked whether {source} computes {function}"
    return f"UNDECIDED ({record.outcome.value}): whether {source} computes {function}"


def evidence_text(record: Record) -> str:
    """What a verdict rests on, in one line; nothing where the message says it."""
    if record.outcome is Outcome.REFUTED:
        return "evidence: the input below, on which evaluated formulas and simulated circuit differ"
    if record.outcome is not Outcome.PROVED:
        return f"evidence: none that proves it, after {record.seconds:,.1f} s"
    parts = [f"evidence: {deciding(record)}", *_certificates(record), f"{record.seconds:,.1f} s"]
    origin = record.origin if isinstance(record, Found) else ""
    return ", ".join(filter(None, (*parts, origin)))


def deciding(record: Record) -> str:
    """Which engines decided it, or how it was without any."""
    kinds = {lemma.kind for lemma in record.lemmas}
    alone = next(
        (kind for kind in ("congruence", "bound", "bearing") if kind in kinds), "every input, evaluated"
    )
    return record.engine or alone


def _certificates(record: Record) -> Iterator[str]:
    if record.composed:
        yield f"{len(record.lemmas):,} lemmas"
    counts = Counter(certificate.kind for certificate in record.certificates)
    for kind, (one, several) in CERTIFICATES.items():
        if counts[kind]:  # type: ignore[index]
            yield f"{counts[kind]:,} {one if counts[kind] == 1 else several}"  # type: ignore[index]


def circuit_text(record: Record, matched: Sequence[str]) -> list[str]:
    """The circuit's size, and which of its buses is which of the spec's; a line each."""
    size, lines = record.netlist, []
    if size:
        neurons = "1 neuron" if size.neurons == 1 else f"{size.neurons:,} neurons"
        lines.append(f"circuit: {neurons} in depth {size.depth:,}, SHA-256 {size.sha256[:16]}")
    return [*lines, *(f"  {line}" for line in matched)]
