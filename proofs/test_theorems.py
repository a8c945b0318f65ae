"""``pytest proofs/``: one test for each promised theorem."""

from collections.abc import Callable

import pytest

from proofs.conftest import PROPERTY
from prover.obligation import Obligation
from prover.run import Run
from prover.tables import failure_text


def test_theorem(
    obligation: Obligation, run: Run, record_property: Callable[[str, object], None]
) -> None:
    record = run.discharge(obligation)
    record_property(PROPERTY, record.as_json())
    if not record.green:
        pytest.fail(failure_text(record), pytrace=False)
