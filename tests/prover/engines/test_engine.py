"""The engines: models, timeouts, interrupts, and the one that need not be installed."""

import gc
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from pysmt.shortcuts import (
    BV,
    BVUGT,
    BVULT,
    And,
    BVMul,
    BVRol,
    BVType,
    BVUDiv,
    BVURem,
    Equals,
    Ite,
    Not,
    Symbol,
)

from spikeproof.prover.claims.obligation import Claim, Obligation
from spikeproof.prover.engines.engine import ENGINES, EngineError, engine_named
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.running.discharge import discharge
from tests.prover.encoding.test_bitblast import formulas
from tests.support.engines import INSTALLED
from tests.support.formula_evaluation import evaluate
from tests.support.graphs import Encoded

IN_CHILDREN = [name for name in ("cadical", "bitwuzla") if name in INSTALLED]


def factors_of(product, width):
    """That x and y, of so many bits, are factors of a number; they are read back in twice as many."""
    x, y = (Symbol(name, BVType(2 * width)) for name in ("x", "y"))
    small = [And(BVUGT(n, BV(1, 2 * width)), BVULT(n, BV(1 << width, 2 * width))) for n in (x, y)]
    return And(*small, Equals(BVMul(x, y), BV(product, 2 * width)))


HARD = (1500450271 * 2860486313, 32)


@pytest.mark.parametrize("name", INSTALLED)
def test_models_satisfy_the_formula(name):
    formula = factors_of(251 * 241, 8)
    answer = ENGINES[name].check([formula], 60)
    assert answer.status is Status.SATISFIABLE
    model = {symbol: np.array([value]) for symbol, value in answer.model.items()}
    assert evaluate(formula, model).all()
    assert ENGINES[name].check([formula, Equals(Symbol("x", BVType(16)), BV(250, 16))], 60).status is (
        Status.UNSATISFIABLE
    )


@pytest.mark.parametrize("name", INSTALLED)
def test_booleans_and_trivial_formulas(name):
    p, x = Symbol("p"), Symbol("x", BVType(3))
    answer = ENGINES[name].check([p, Not(Equals(x, x))], 10)
    assert answer.status is Status.UNSATISFIABLE
    answer = ENGINES[name].check([Equals(Ite(p, x, BV(0, 3)), BV(5, 3))], 10)
    assert answer.model == {"p": 1, "x": 5}


@pytest.mark.parametrize("name", INSTALLED)
def test_a_timeout_is_kept(name):
    started = time.perf_counter()
    assert ENGINES[name].check([factors_of(*HARD)], 1).status is Status.TIMEOUT
    assert time.perf_counter() - started < 60


@pytest.fixture
def interruptible():
    """A shell starts background jobs with interrupts ignored, and Python then leaves it at that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()  # an interrupt during a callback of the collector is lost; Hypothesis has one
    yield
    gc.enable()
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("name", INSTALLED)
def test_an_interrupt_interrupts(name):
    interrupt = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    started = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        ENGINES[name].check([factors_of(*HARD)], 60)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("name", IN_CHILDREN)
def test_an_exception_crosses_the_process_boundary(name):
    x = Symbol("x", BVType(3))
    with pytest.raises(ValueError, match=r"no (encoding|term) for BV_ROL"):
        ENGINES[name].check([Equals(BVRol(x, 1), x)], 10)


def trivial(netlist):
    x = Symbol("x", BVType(3))
    return Claim({"x": x}, Equals(x, x))


def test_an_engine_that_is_not_installed_is_asked_for_in_vain(monkeypatch):
    monkeypatch.delitem(ENGINES, "bitwuzla", raising=False)
    monkeypatch.setitem(sys.modules, "spikeproof.prover.engines.bitwuzla", None)
    message = r"^engine 'bitwuzla' is not installed: pip install 'spikeproof\[bitwuzla\]'$"
    with pytest.raises(EngineError, match=message):
        engine_named("bitwuzla")
    with pytest.raises(EngineError, match=message):
        discharge(Obligation("an.obligation", "a statement", trivial, engines=("bitwuzla",)))
    known = "bitwuzla, cadical, z3"
    with pytest.raises(EngineError, match=rf"no engine is named 'yices'; there are {known}"):
        engine_named("yices")


# --- Bitwuzla's terms ---------------------------------------------------------------------------


def solve(formula):
    pytest.importorskip("bitwuzla")
    from spikeproof.prover.engines import bitwuzla

    return bitwuzla.solve([formula])


def test_bitwuzla_reads_every_operator_as_it_is_meant():
    """For each output value of each formula: satisfiable iff some input yields it, and by that input."""
    x, y = (Symbol(name, BVType(3)) for name in ("x", "y"))
    values = np.arange(64, dtype=np.uint64)
    inputs = {"x": values >> np.uint64(3), "y": values & np.uint64(7)}
    for formula in [*formulas(x, y), BVUDiv(x, y), BVURem(x, y)]:
        results = Encoded(formula).evaluate(inputs)
        for wanted in range(1 << formula.bv_width()):
            satisfiable, model = solve(Equals(formula, BV(wanted, formula.bv_width())))
            assert satisfiable == (wanted in results), (formula.serialize(), wanted)
            if satisfiable:
                index = model.get("x", 0) << 3 | model.get("y", 0)
                assert results[index] == wanted, formula.serialize()


def test_bitwuzla_translates_deep_formulas():
    """A chain that recursion would not survive."""
    x = Symbol("x", BVType(4))
    deep = x
    for index in range(5000):
        deep = Ite(Equals(deep, BV(index % 16, 4)), x, deep)
    assert solve(Not(Equals(deep, deep)))[0] is False
    assert solve(Equals(deep, BV(3, 4)))[0] is True
