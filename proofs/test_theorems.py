"""``pytest proofs/``: one test for each promised theorem."""

from collections.abc import Callable

import pytest

from proofs.conftest import PROPERTY
from prover.files import StorageError
from prover.obligation import Obligation
from prover.run import Run
from prover.tables import failure_text


def test_theorem(
    obligation: Obligation, run: Run, record_property: Callable[[str, object], None]
) -> None:
    try:
        record = run.discharge(obligation)
    except StorageError as error:
        pytest.fail(error.format_message(), pytrace=False)
    record_property(PROPERTY, record.as_json())
    if not record.green:
        pytest.fail(failure_text(record), pytrace=False)
