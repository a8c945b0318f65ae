"""Circuits and theorems as SMT-LIB and BTOR2: other tools find that they mean the same."""

import random
import re

import pytest
import z3
from bitwuzla import Options, Parser, TermManager
from hypothesis import HealthCheck, given, settings
from pysmt.shortcuts import BV, And, Equals, Not

from spikeproof.circuits.doors.btor2 import as_btor2
from spikeproof.circuits.doors.smtlib import as_smtlib
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, NetlistBuilder
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.encoding.btor2 import property_of
from spikeproof.prover.encoding.smtlib import script
from spikeproof.prover.refutation.drawing import every_input
from tests.prover.encoding.test_smtlib import at_random, every_operator
from tests.support.netlists import netlists

GREEN, RED = "fp6_e3m2.add.rne.saturate", "fp4_e2m1.add.rne.saturate"


@pytest.fixture
def bad(tmp_path, capfd):
    """Whether Bitwuzla finds inputs for which a BTOR2 file's properties are bad, one after another."""

    def verdicts(text: str) -> list[bool]:
        path = tmp_path / "property.btor2"
        path.write_text(text)
        capfd.readouterr()
        Parser(TermManager(), Options(), language="btor2").parse(str(path), False, True)
        said = re.findall(r"Bad property \d+ (un)?satisfiable", capfd.readouterr().out)
        return [not word for word in said]

    return verdicts


# --- circuits -----------------------------------------------------------------------------------


def some_outputs(netlist: Netlist, count: int) -> list[tuple[dict[str, int], dict[str, int]]]:
    """Inputs and the outputs for them, a few at random."""
    columns = every_input(netlist.inputs)
    found = boolean.evaluate(netlist, columns)
    rows = random.Random(1).sample(range(len(next(iter(columns.values())))), count)
    return [
        tuple({n: int(c[row]) for n, c in side.items()} for side in (columns, found)) for row in rows
    ]


def with_values(text: str, inputs: dict[str, int], outputs: dict[str, int]) -> str:
    """A BTOR2 circuit with these inputs; bad is each output that has not this value."""
    lines = [line for line in text.splitlines() if " output " not in line]
    sort_of = {line.split()[0]: line.split()[2] for line in lines}
    ports = re.findall(r"^(\d+) input \d+ (\S+)$", text, re.MULTILINE)
    results = re.findall(r"output -?(\d+) (\S+)$", text, re.MULTILINE)
    number = len(text.splitlines())
    signs = {n: sign for sign, n in re.findall(r"output (-?)\d+ (\S+)$", text, re.MULTILINE)}
    for (node, name), wanted in [*((p, inputs) for p in ports), *((r, outputs) for r in results)]:
        sort = sort_of[node]
        sign = signs[name] if wanted is outputs else ""
        lines.append(f"{number + 1} constd {sort} {wanted[name]}")
        lines.append(f"{number + 2} {'neq' if wanted is outputs else 'eq'} 1 {sign}{node} {number + 1}")
        lines.append(f"{number + 3} {'bad' if wanted is outputs else 'constraint'} {number + 2}")
        number += 3
    return "\n".join(lines) + "\n"


@given(netlist=netlists())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_circuit_in_btor2(bad, netlist):
    text = as_btor2(netlist).decode()
    for inputs, outputs in some_outputs(netlist, 2):
        assert bad(with_values(text, inputs, outputs)) == [False]
        wrong = {name: value ^ 1 for name, value in outputs.items()}
        assert bad(with_values(text, inputs, wrong)) == [True]


@given(netlist=netlists())
@settings(max_examples=40)
def test_a_circuit_in_smtlib(netlist):
    text = as_smtlib(netlist).decode()
    for inputs, outputs in some_outputs(netlist, 2):
        arguments = " ".join(f"(_ bv{inputs[name]} {width})" for name, width in netlist.inputs.items())
        values = {"out": f"(_ bv{outputs['out']} {netlist.output_widths['out']})"}
        question = f"(assert (distinct (netlist.out {arguments}) {values['out']}))(check-sat)"
        solver = z3.Solver()
        solver.from_string(text + question)
        assert solver.check() == z3.unsat


def test_constants_wires_and_several_outputs(bad):
    builder = NetlistBuilder()
    x, y = builder.input("bvand", 2), builder.input("x.1", 1)
    no, yes = builder.neuron([(x[0], 1)], 2), builder.neuron([(x[0], 1)], 0)
    inverted = builder.neuron([(y[0], -1)], 0)
    netlist = builder.build({"x.1": (x[1], no, yes), "let": (inverted,)})
    text = as_btor2(netlist).decode()
    assert bad(with_values(text, {"bvand": 2, "x.1": 0}, {"x.1": 5, "let": 1})) == [False, False]
    assert bad(with_values(text, {"bvand": 2, "x.1": 1}, {"x.1": 5, "let": 1})) == [False, True]
    question = "(assert (= (netlist.let #b10 #b0) #b0))(assert (= (netlist.x.1 #b10 #b0) #b101))"
    solver = z3.Solver()
    solver.from_string(as_smtlib(netlist).decode() + question)
    assert solver.check() == z3.unsat


# --- theorems -----------------------------------------------------------------------------------


def holds(formula, values: dict[str, int]) -> Claim:
    """The claim that a formula does not hold where words have these values."""
    symbols = {symbol.symbol_name(): symbol for symbol in formula.get_free_variables()}
    words = {name: symbol for name, symbol in symbols.items() if symbol.symbol_type().is_bv_type()}
    given_values = And(Equals(s, BV(values[name], s.bv_width())) for name, s in words.items())
    return Claim(words, Not(formula), (given_values,))


def test_every_operator_in_btor2(bad):
    """Bitwuzla evaluates as pySMT does."""
    draw = random.Random(2)
    for formula in (*every_operator(), *map(at_random, range(10))):
        for _ in range(4):
            values = {name: draw.randrange(32) for name in "xyz"}
            claim = holds(formula, values)
            put = {symbol: BV(values[name], 5) for name, symbol in claim.inputs.items()}
            if "p" in {symbol.symbol_name() for symbol in formula.get_free_variables()}:
                continue
            assert bad(property_of(claim)) == [formula.substitute(put).simplify().is_true()]


def test_a_theorem_is_never_bad_and_a_false_one_is(bad):
    obligation = theorem(GREEN)
    claim = obligation.state(obligation.circuit())
    assert bad(property_of(claim)) == [False]
    broken = Claim(claim.inputs, Not(claim.goal), claim.assumptions)
    assert bad(property_of(broken)) == [True]


def test_a_theorem_in_smtlib_is_read_by_others():
    """z3 decides it."""
    obligation = theorem(GREEN)
    claim = obligation.state(obligation.circuit())
    text = script(claim.negation)
    solver = z3.Solver()
    solver.from_string(text)
    assert solver.check() == z3.unsat
