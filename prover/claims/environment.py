"""Where formulas live."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from pysmt.environment import get_env, pop_env, push_env


@contextmanager
def passing_formulas() -> Iterator[None]:
    """Formulas made within are forgotten at its end, and their symbols may have other widths elsewhere.

    Python's operators join them, as in ``x & y``. They have no cycles; looking for those takes a
    seventh of the time, and waits until then.
    """
    collecting = gc.isenabled()
    gc.disable()
    push_env()
    get_env().enable_infix_notation = True
    try:
        yield
    finally:
        pop_env()
        if collecting:
            gc.enable()
