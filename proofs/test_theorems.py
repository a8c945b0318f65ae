"""``pytest proofs/``: one test for each promised theorem."""

from collections.abc import Callable

import pytest

from proofs.conftest import PROPERTY
from prover.catalogue import catalogue
from prover.discharge import discharge
from prover.tables import failure_text


@pytest.mark.parametrize("name", list(catalogue()))
def test_theorem(
    name: str, record_property: Callable[[str, object], None], pytestconfig: pytest.Config
) -> None:
    result = discharge(catalogue()[name], pytestconfig.getoption("--proof-timeout"))
    record_property(PROPERTY, result.as_json())
    if not result.green:
        pytest.fail(failure_text(result), pytrace=False)
