"""What tests compute at length, once for all the processes that test side by side."""

import os
import pickle
from collections.abc import Callable, Hashable
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from filelock import FileLock

from tests.support.profile import parameter_id

FOLDER = "SPIKEPROOF_TEST_TABLES"
"""The variable that names where it is kept while they run; ``tests/conftest.py`` sets it."""

P = ParamSpec("P")
T = TypeVar("T")


def shared(function: Callable[P, T]) -> Callable[P, T]:
    """A function of formats, operations, modes and policies that is computed once in a run of tests."""

    @cache
    def kept(*choices: Hashable) -> T:
        path = Path(os.environ[FOLDER], "-".join((function.__name__, *map(parameter_id, choices))))
        with FileLock(f"{path}.lock"):
            if path.exists():
                return cast(T, pickle.loads(path.read_bytes()))
            result = function(*choices)  # type: ignore[call-arg]
            path.write_bytes(pickle.dumps(result))
        return result

    return cast(Callable[P, T], wraps(function)(kept))
