"""How far functions of libraries are from the correctly rounded ones, for people and as data."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from spikeproof.prover.refutation.counterexample import decimal_value
from spikeproof.prover.report.tables import NamedTable
from spikeproof.prover.running.departures import Departures, Witness
from spikeproof.specs.formats import Format

SCHEMA = "spikeproof-accuracy-2"


def machine() -> str:
    """Processor and system: results of vectorised functions may differ between them."""
    return f"{platform.machine()}, {platform.system()}"


def table(found: Mapping[str, Departures]) -> NamedTable:
    """A row for each function."""
    rows = NamedTable("function", "inputs", "wrong", "share", "1 ULP", "more", "largest", "other")
    for name, each in found.items():
        zeros, one = each.wrong[0], each.wrong[1]
        rows.add(
            name,
            f"{each.inputs:,}",
            f"{each.count:,}",
            f"{100 * each.count / each.inputs:.3g}%",
            f"{one:,}",
            f"{each.count - each.kinds - zeros - one:,}",
            f"{each.largest:,} ULP",
            f"{each.kinds + zeros:,}",
        )
    return rows


def witness_table(fmt: Format, found: Mapping[str, Departures]) -> NamedTable:
    """The inputs that are farthest off."""
    pairs = any(witness.y is not None for each in found.values() for witness in each.witnesses)
    operands = ("x", "y") if pairs else ("x",)
    left = (*operands, "given", "right")
    rows = NamedTable("function", *left, "ULP", left=left)
    for name, each in found.items():
        for witness in each.witnesses:
            shown = (
                "" if (code := getattr(witness, column)) is None else shown_code(fmt, code)
                for column in left
            )
            rows.add(name, *shown, "other" if witness.ulps is None else f"{witness.ulps:,}")
    return rows


def shown_code(fmt: Format, code: int) -> str:
    """A code, and the number that it is."""
    return f"{code:#0{fmt.width // 4 + 2}x} ({decimal_value(fmt, code)})"


def as_json(
    fmt: Format,
    versions: Mapping[str, str],
    functions: Mapping[str, str],
    found: Mapping[str, Departures],
) -> dict[str, Any]:
    """All figures, JSON-ready.

    Args:
        versions: of the library of each function.
        functions: what each is compared with.
    """
    return {
        "schema": SCHEMA,
        "format": fmt.name,
        "machine": machine(),
        "functions": [
            {
                "name": name,
                "version": versions[name],
                "function": functions[name],
                "inputs": each.inputs,
                "every_input": each.every,
                "wrong": each.count,
                "largest_ulps": each.largest,
                "by_ulps": {str(ulps): count for ulps, count in sorted(each.wrong.items())},
                "other_kind": each.kinds,
                "witnesses": [_as_data(witness) for witness in each.witnesses],
            }
            for name, each in found.items()
        ],
    }


def _as_data(witness: Witness) -> dict[str, int | None]:
    """Of functions of one operand there is no y."""
    found = vars(witness)
    return found if witness.y is not None else {k: v for k, v in found.items() if k != "y"}


def note() -> str:
    """What the columns mean."""
    return (
        "wrong: not the correctly rounded result, to nearest even. ULP: so many numbers of the format "
        "away, subnormals and infinity counted. other: NaN in place of a number or the reverse, or the "
        "zero of the other sign."
    )
