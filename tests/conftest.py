"""What every test shares."""

import gc
import itertools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import settings
from pysmt.environment import pop_env, push_env

from spikeproof.prover.claims.obligation import BOTH
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.refutation.minimisation import Refutation
from spikeproof.prover.running import discharge as discharge_module
from tests.support.profile import NIGHTLY
from tests.support.shared import FOLDER

# As many processes test as there are cores: were each to compute in as many threads, most of the time
# would be spent waiting for one another. PyTorch is not loaded yet, and does as this says.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    """A folder for what is ``shared``: the first process makes it, and its workers inherit its name."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="spikeproof-tests-")
        os.environ[FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_collection_finish() -> None:
    """What is there before the first test stays: garbage is not looked for among it, again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def fresh_formulas() -> Iterator[None]:
    """Each test has its own pySMT environment, so that symbols of one name may differ in width."""
    push_env()
    yield
    pop_env()


TESTS = itertools.count()


@pytest.fixture(autouse=True)
def own_directories(request, tmp_path_factory, monkeypatch) -> None:
    """No test reads or writes the user's own last results, cache, log or key of seals.

    They are in the test's folder if it has one, else where one is made by who writes there: few do.
    """
    if "tmp_path" in request.fixturenames:
        own = request.getfixturevalue("tmp_path")
    else:
        own = tmp_path_factory.getbasetemp() / f"own{next(TESTS)}"
    for name in ("STATE", "CACHE", "LOG"):
        monkeypatch.setenv(f"SPIKEPROOF_{name}", str(own / name.lower()))
    for name in ("SEAL", "CACHE_READ_ONLY"):
        monkeypatch.delenv(f"SPIKEPROOF_{name}", raising=False)


@pytest.fixture(autouse=True)
def engines_decide(monkeypatch) -> None:
    """Circuits are there to see what lemmas and engines make of them: none is run on inputs first."""
    monkeypatch.setattr(discharge_module, "_at_once", lambda case: None)
    monkeypatch.setattr(discharge_module, "TABLE_BITS", 0)


@pytest.fixture
def counterexamples_as_found(monkeypatch) -> None:
    """For tests that are about verdicts: no simpler counterexample is looked for."""
    monkeypatch.setattr(
        discharge_module, "minimised", lambda obligation, claim, inputs, netlist: Refutation(inputs)
    )


@pytest.fixture
def cadical_alone(monkeypatch) -> None:
    """For tests that are about verdicts: that z3 agrees is for ``proofs`` and the tests of mutants."""
    stated = Case.of

    def of_one_engine(obligation, *given):
        engines = ("cadical",) if obligation.engines == BOTH else obligation.engines
        return stated(replace(obligation, engines=engines), *given)

    monkeypatch.setattr(Case, "of", staticmethod(of_one_engine))


settings.register_profile("default", deadline=None, print_blob=True, max_examples=100 if NIGHTLY else 25)
settings.load_profile("default")
