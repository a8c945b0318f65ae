"""What every test shares."""

import os
import tempfile
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings
from pysmt.environment import pop_env, push_env

from spikeproof.prover.refutation.minimisation import Refutation
from spikeproof.prover.running import discharge as discharge_module
from tests.support.shared import FOLDER

# As many processes test as there are cores: were each to compute in as many threads, most of the time
# would be spent waiting for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(1)


def pytest_configure(config: pytest.Config) -> None:
    """A folder for what is ``shared``: the first process makes it, and its workers inherit its name."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="spikeproof-tests-")
        os.environ[FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)


@pytest.fixture(autouse=True)
def fresh_formulas() -> Iterator[None]:
    """Each test has its own pySMT environment, so that symbols of one name may differ in width."""
    push_env()
    yield
    pop_env()


@pytest.fixture(autouse=True)
def own_directories(tmp_path, monkeypatch) -> None:
    """No test reads or writes the user's own last results, cache, log or key of seals."""
    for name in ("STATE", "CACHE", "LOG"):
        monkeypatch.setenv(f"SPIKEPROOF_{name}", str(tmp_path / name.lower()))
    for name in ("SEAL", "CACHE_READ_ONLY"):
        monkeypatch.delenv(f"SPIKEPROOF_{name}", raising=False)


@pytest.fixture(autouse=True)
def engines_decide(monkeypatch) -> None:
    """Circuits are there to see what lemmas and engines make of them: none is run on inputs first."""
    monkeypatch.setattr(discharge_module, "_at_once", lambda case: None)
    monkeypatch.setattr(discharge_module, "MOST_BITS", 0)


@pytest.fixture
def counterexamples_as_found(monkeypatch) -> None:
    """For tests that are about verdicts: no simpler counterexample is looked for."""
    monkeypatch.setattr(
        discharge_module, "minimised", lambda obligation, claim, inputs, netlist: Refutation(inputs)
    )


settings.register_profile("default", deadline=None, print_blob=True)
settings.load_profile("default")
