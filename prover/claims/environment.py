"""Where formulas live."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from pysmt.environment import pop_env, push_env
from pysmt.fnode import FNode


class FormulaError(TypeError):
    """Python was asked of formulas what it cannot tell."""


def _is_true(formula: FNode) -> NoReturn:
    raise FormulaError("Python cannot tell whether a formula holds; use Ite, And, Or, Not")


def _equals(formula: FNode, other: object) -> bool:
    if formula is other:
        return True
    raise FormulaError("Python cannot tell whether a formula equals another; use Equals, or Iff")


@contextmanager
def stating_formulas() -> Iterator[None]:
    """Within, Python is not to be asked whether formulas hold or are equal.

    To Python every formula is true, and equal to itself alone: ``x if x < y else y`` would quietly be
    ``x``, and ``x == y`` false.

    Raises:
        FormulaError: where it is asked.
    """
    FNode.__bool__, FNode.__eq__ = _is_true, _equals
    try:
        yield
    finally:
        del FNode.__bool__, FNode.__eq__  # pySMT gives them none


@contextmanager
def passing_formulas() -> Iterator[None]:
    """Formulas made within are forgotten at its end, and their symbols may have other widths elsewhere.

    They have no cycles; looking for those takes a seventh of the time, and waits until then.
    """
    collecting = gc.isenabled()
    gc.disable()
    push_env()
    try:
        yield
    finally:
        pop_env()
        if collecting:
            gc.enable()
