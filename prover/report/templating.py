"""Templates that escape by themselves: HTML by Jinja's rule, any other language by the one given."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


class Verbatim(str):
    """Text that a template takes as it is."""


@cache
def environment(escape: Callable[[str], str] | None = None) -> Environment:
    """Templates of HTML; or, with a rule to escape by, of a language that braces mean something in."""
    common: dict[str, Any] = {
        "loader": PackageLoader("spikeproof.prover.report"),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
    }
    if escape is None:
        return Environment(autoescape=True, **common)

    def escaped(value: object) -> str:
        return value if isinstance(value, Verbatim) else escape(str(value))

    return Environment(
        finalize=escaped,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        **common,
    )
