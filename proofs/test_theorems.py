"""``pytest proofs/``: one test for each promised theorem."""

from collections.abc import Callable

import pytest

from spikeproof.proofs.conftest import PROPERTY
from spikeproof.prover.claims.catalogue import with_units
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.evidence.files import StorageError
from spikeproof.prover.report.tables import failure_text
from spikeproof.prover.running.run import Run


def test_theorem(
    obligation: Obligation, run: Run, record_property: Callable[[str, object], None]
) -> None:
    for each in with_units([obligation]):  # itself the last
        try:
            record = run.discharge(each)
        except StorageError as error:
            pytest.fail(error.format_message(), pytrace=False)
        record_property(PROPERTY, record.as_json())
    if not record.green:
        pytest.fail(failure_text(record), pytrace=False)
