"""``pytest proofs/``: one test for each promised theorem."""

from collections.abc import Callable

import pytest

from proofs.conftest import PROPERTY
from prover.discharge import discharge
from prover.obligation import Obligation
from prover.tables import failure_text


def test_theorem(
    obligation: Obligation,
    record_property: Callable[[str, object], None],
    pytestconfig: pytest.Config,
) -> None:
    result = discharge(obligation, pytestconfig.getoption("--proof-timeout"))
    record_property(PROPERTY, result.as_json())
    if not result.green:
        pytest.fail(failure_text(result), pytrace=False)
