"""Clausal proofs: independent checkers accept ours, and no damaged or foreign one proves a falsehood."""

import stat
import sys
from functools import cache, partial
from io import BytesIO
from itertools import combinations, product

import dratify
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysmt.shortcuts import And

from spikeproof.prover.checking.checkers import CheckError, _steps, by_drat_trim, by_dratify
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.encoding.bitblast import Blaster, dimacs_file
from spikeproof.prover.encoding.drat import ProofError, decoded, encoded
from spikeproof.prover.engines import cadical as cadical_module
from spikeproof.prover.engines.cadical import _by_turns, _sweep_and_solve
from spikeproof.prover.engines.clausal_proof import Derivation, TracedSolver
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.case import Case
from tests.prover.engines.test_sweeping import graphs
from tests.support.profile import one_of_each


def answer(clauses):
    """What CaDiCaL says of clauses, with its proof."""
    return _by_turns([(Derivation(clauses), enumerate(clauses))], {})


def satisfiable(clauses):
    """By trying everything."""
    variables = sorted({abs(literal) for clause in clauses for literal in clause})
    for values in product((False, True), repeat=len(variables)):
        value = dict(zip(variables, values, strict=True))
        if all(any(value[abs(p)] == (p > 0) for p in clause) for clause in clauses):
            return True
    return False


def accepted(clauses, proof):
    """Whether both of dratify's checkers accept a proof; they agree."""
    formula = dratify.CNF()
    for clause in clauses:
        formula.add([dratify.from_dimacs(literal) for literal in clause])
    try:
        by_dratify(clauses, proof)
        native = True
    except CheckError:
        native = False
    try:
        result = dratify.check_proof(formula, _steps(proof), check_rat=False, engine="python")
        python = result.ok and result.reached_empty
    except (ProofError, ValueError):
        python = False
    assert native == python
    return native


def pigeons(holes):
    """That one pigeon more than there are holes finds a hole of its own; without any clause it can."""
    hole = {each: n + 1 for n, each in enumerate(product(range(holes + 1), range(holes)))}
    placed = [[hole[pigeon, h] for h in range(holes)] for pigeon in range(holes + 1)]
    pairs = combinations(range(holes + 1), 2)
    return placed + [[-hole[a, h], -hole[b, h]] for a, b in pairs for h in range(holes)]


PIGEONS = pigeons(3)


@cache
def pigeons_proof():
    return answer(PIGEONS).proof


def without(items, index):
    return [*items[:index], *items[index + 1 :]]


def joined(steps):
    """The inverse of how checkers read a proof."""
    lines = ([ord(kind), *(literal + 2 for literal in literals), 0] for kind, literals in steps)
    return encoded(np.array([number for line in lines for number in line], dtype=np.int64))


# --- proofs that are accepted -----------------------------------------------------------------------

FORMULAS = st.integers(1, 5).flatmap(
    lambda variables: st.lists(
        st.lists(
            st.integers(1, variables).flatmap(lambda v: st.sampled_from((v, -v))),
            min_size=1,
            max_size=3,
            unique_by=abs,
        ),
        min_size=1,
        max_size=40,
    )
)


@given(FORMULAS)
def test_a_random_formula_has_a_proof_or_a_model(clauses):
    said = answer(clauses)
    if satisfiable(clauses):
        assert (said.status, said.proof) == (Status.SATISFIABLE, None)
    else:
        assert said.status is Status.UNSATISFIABLE
        assert accepted(clauses, said.proof)


@settings(max_examples=60)
@given(graphs(), st.sampled_from((0, 1000)))
def test_a_swept_graph_has_a_proof_of_the_clauses_before(drawn, conflicts):
    graph, root = drawn
    blaster = Blaster()
    blaster.graph = graph
    clauses = graph.clauses(root)
    said = _sweep_and_solve(blaster, root, Derivation(clauses), conflicts)
    if said.status is Status.UNSATISFIABLE:
        assert accepted(clauses, said.proof)
    else:
        assert said.status is answer(clauses).status is Status.SATISFIABLE


LEMMAS = [
    ("fp4_e2m1.multiply.rne.saturate", (False, True)),
    ("block.threshold.divide.4", (False, True)),
    ("fp8_e4m3fn.add.rne.saturate", (True,)),
]


def put(name):
    """The clauses that refute a theorem, and what they are of."""
    blaster = Blaster()
    root = blaster.literal(And(Case.of(catalogue()[name]).claim.negation))
    return blaster, root, blaster.graph.clauses(root)


@pytest.mark.parametrize(("name", "sweeping"), [(name, each) for name, ways in LEMMAS for each in ways])
def test_proofs_of_theorems_swept_and_not(name, sweeping):
    blaster, root, clauses = put(name)
    swept = partial(_sweep_and_solve, blaster, root, Derivation(clauses))
    said = swept() if sweeping else answer(clauses)
    assert said.status is Status.UNSATISFIABLE
    by_dratify(clauses, said.proof)
    if name.startswith("fp4"):
        assert accepted(clauses, said.proof)
    with pytest.raises(CheckError, match="the proof is wrong"):
        by_dratify(clauses[1:], said.proof)  # without the clause that the claim fails


def test_a_proof_is_of_the_clauses_that_were_decided_first_however_many_turns_that_took(monkeypatch):
    monkeypatch.setattr(cadical_module, "TURN", 1)
    asked, solve = [], TracedSolver.solve

    def noted(solver, assumption=None, conflicts=None):
        satisfiable = solve(solver, assumption, conflicts)
        asked.append((solver, conflicts, satisfiable))
        return satisfiable

    monkeypatch.setattr(TracedSolver, "solve", noted)
    clauses = pigeons(5)
    ways = [(Derivation(clauses), list(enumerate(clauses))) for _ in range(2)]
    said = _by_turns(ways, {})
    assert accepted(clauses, said.proof)
    first, second = dict.fromkeys(solver for solver, _, _ in asked)
    assert [solver for solver, _, _ in asked] == [first, second] * (len(asked) // 2) + [first]
    assert [most for solver, most, _ in asked if solver is first] == [
        1 << n for n in range(len(asked) // 2 + 1)
    ]
    assert [satisfiable for *_, satisfiable in asked] == [None] * (len(asked) - 1) + [False]


def test_clauses_that_are_decided_in_the_second_place_have_a_proof_of_their_own(monkeypatch):
    monkeypatch.setattr(cadical_module, "TURN", 1)
    hard, easy = pigeons(6), [*pigeons(6), [1], [-1]]
    said = _by_turns([(Derivation(each), enumerate(each)) for each in (hard, easy)], {})
    assert accepted(easy, said.proof)
    assert not accepted(hard, said.proof)


@pytest.mark.parametrize("name", [name for name, _ in LEMMAS])
def test_proofs_of_theorems_by_turns(name, monkeypatch):
    monkeypatch.setattr(cadical_module, "TURN", 1)
    blaster, root, clauses = put(name)
    by_dratify(clauses, _sweep_and_solve(blaster, root, Derivation(clauses), 1).proof)


def test_the_engine_says_of_which_clauses_its_proof_is():
    case = Case.of(catalogue()["fp4_e2m1.add.rne.saturate"])
    said = ENGINES["cadical"].check(case.claim.negation, 60)
    clauses = put("fp4_e2m1.add.rne.saturate")[2]
    by_dratify(clauses, said.proof)
    with pytest.raises(CheckError, match="the proof is wrong"):
        by_dratify(clauses[1:], said.proof)  # without the clause that the claim fails


# --- proofs that are not ----------------------------------------------------------------------------


def test_every_clause_of_the_pigeons_is_needed():
    assert accepted(PIGEONS, pigeons_proof())
    for index in range(len(PIGEONS)):
        assert satisfiable(without(PIGEONS, index))
        assert not accepted(without(PIGEONS, index), pigeons_proof())


def damages():
    """A proof with a bit flipped, truncated, a step missing, steps exchanged; everywhere in turn.

    Of each kind but truncations every fourth is tried by default, all in the nightly profile.
    """
    found = list(all_damages())
    return [
        damage
        for _, damage in one_of_each(
            enumerate(found),
            kind=lambda case: (case[1][0], case[0] // (1 if case[1][0] == "truncated" else 4)),
        )
    ]


def all_damages():
    proof = pigeons_proof()
    steps = _steps(proof)
    for index in range(8 * len(proof)):
        octets = bytearray(proof)
        octets[index // 8] ^= 1 << index % 8
        yield "flipped", bytes(octets)
    yield from (("truncated", proof[:length]) for length in range(len(proof)))
    for index in range(len(steps)):
        yield "missing", joined(without(steps, index))
        moved = without(steps, index)
        yield "reordered", joined([*moved, steps[index]])
        yield "reordered", joined([steps[index], *moved])


def test_damage_never_proves_what_is_false():
    """Of formulas with a clause less none is refuted, whatever became of the proof."""
    for number, (_, damaged) in enumerate(damages()):
        for index in (number % len(PIGEONS), (7 * number) % len(PIGEONS)):
            with pytest.raises(CheckError):
                by_dratify(without(PIGEONS, index), damaged)


def test_damage_is_noticed_even_where_the_formula_is_false():
    """What is accepted nonetheless is a proof, by the word of two checkers: it was a step too many."""
    verdicts = {}
    for kind, damaged in damages():
        verdicts.setdefault(kind, []).append(accepted(PIGEONS, damaged))
    for kind in ("flipped", "reordered", "missing"):  # how many depends on what the solver found
        assert verdicts[kind].count(False) >= 4, kind
    assert not any(verdicts["truncated"][: len(pigeons_proof()) // 2])


@given(FORMULAS, FORMULAS)
def test_a_proof_of_one_formula_is_none_of_another_that_can_be_satisfied(one, other):
    proof = answer(one).proof
    if proof is not None and satisfiable(other):
        assert not accepted(other, proof)


@pytest.mark.parametrize(
    ("proof", "reason"),
    [
        (b"", "the proof is wrong"),
        (b"a\x02\x00a\x80", "ends within a number"),
        (b"a\x02\x00a", "ends within a line"),
        (b"x\x02\x00", "a line of an unknown kind"),
        (b"\x00", "a line of an unknown kind"),
        (b"a\x80\x80\x80\x80\x80\x01\x00", "more than 35 bits"),
        (b"a\x01\x00", "the proof"),
        (b"61 2 3 0", "a line of an unknown kind|within"),
    ],
)
def test_what_is_no_proof_is_refused_with_its_reason(proof, reason):
    with pytest.raises(CheckError, match=reason):
        by_dratify(PIGEONS, proof)


# --- how proofs are written -------------------------------------------------------------------------


@given(st.lists(st.integers(0, (1 << 35) - 1)))
def test_numbers_come_back(numbers):
    content = encoded(np.array(numbers, dtype=np.int64))
    assert decoded(content).tolist() == numbers
    if numbers and numbers[-1] >= 128:
        with pytest.raises(ProofError, match="ends within a number"):
            decoded(content[:-1])
    with pytest.raises(ProofError, match="ends within a number"):
        decoded(content + b"\x80")
    with pytest.raises(ProofError, match="more than 35 bits"):
        decoded(content + b"\x80" * 5 + b"\x01")


@given(st.binary(max_size=30))
def test_any_bytes_are_read_or_refused(content):
    try:
        numbers = decoded(content)
    except ProofError:
        return
    assert all(0 <= number < 1 << 35 for number in numbers)
    assert decoded(encoded(numbers)).tolist() == numbers.tolist()


def test_only_what_was_derived_is_a_proof():
    derivation = Derivation([(1,), (-1,)])
    with pytest.raises(ProofError, match="the empty clause was not derived"):
        derivation.proof()
    derivation.add((), (0, derivation.promise()))
    with pytest.raises(ProofError, match="was promised was not derived"):
        derivation.proof()


def test_what_the_empty_clause_does_not_rest_on_is_left_out():
    formula = [(1, 2), (1, -2), (-1, 2), (-1, -2), (3, 4)]
    derivation = Derivation(formula)
    derivation.add((3, 4, 5), (4,))
    one = derivation.add((1,), (0, 1))
    derivation.add((), (one, 2, 3))
    added = [literals for kind, literals in _steps(derivation.proof()) if kind == "a"]
    assert added == [(0,), ()]
    assert accepted(formula, derivation.proof())


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        (b"x\x0c\x00\x00", "a line of an unknown kind"),
        (b"a\x0c\x02\x00\x02", "ends within a line"),
        (b"a\x0c\x02", "ends within a line"),
        (b"d\x0c\x02", "ends within a line"),
        (b"a\x80", "ends within a number"),
    ],
)
def test_a_foreign_trace_is_refused(trace, reason):
    derivation = Derivation(PIGEONS)
    with TracedSolver(derivation) as solver:
        for number, clause in enumerate(PIGEONS):
            solver.add(clause, number)
        assert solver.solve() is False
        own, solver._file = solver._file, BytesIO(trace)
        with own, pytest.raises(ProofError, match=reason):
            solver.hand_over()


def test_the_trace_of_other_clauses_makes_no_proof():
    """A derivation that mistakes the clauses is at worst one that checkers refuse."""
    derivation = Derivation(PIGEONS)
    with TracedSolver(derivation) as solver:
        for number, clause in enumerate([[1], [-1]]):
            solver.add(clause, number)
        assert solver.solve() is False
        solver.hand_over()
    assert not accepted(PIGEONS, derivation.proof())


# --- drat-trim --------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a stand-in for a program on the PATH, which keeps what it was given."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name, says, code=0):
        path = folder / name
        path.write_text(
            f"#!{sys.executable}\nimport shutil, sys\n"
            f"print({says!r})\n"
            f"[shutil.copy(f, r'{tmp_path}/{name}.' + str(n)) for n, f in enumerate(sys.argv[1:3])]\n"
            f"sys.exit({code})\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make


def test_drat_trim_is_given_formula_and_proof_as_text(program, tmp_path):
    program("drat-trim", "c checked\ns VERIFIED\n")
    clauses = [(1, 2), (1, -2), (-1, 2), (-1, -2)]
    proof = answer(clauses).proof
    by_drat_trim(clauses, proof)
    assert (tmp_path / "drat-trim.0").read_bytes() == dimacs_file(clauses)
    lines = (tmp_path / "drat-trim.1").read_text().splitlines()
    assert "0" in lines
    assert all(line.removeprefix("d ").endswith("0") for line in lines)
    read = [tuple(map(int, line.removeprefix("d ").split()))[:-1] for line in lines]
    assert read == [tuple(map(dratify.to_dimacs, literals)) for _, literals in _steps(proof)]


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("c trivial\ns NOT VERIFIED\n", "drat-trim does not accept the proof: s NOT VERIFIED"),
        ("", "drat-trim does not accept the proof: no word"),
        ("c as VERIFIED\n", "drat-trim does not accept the proof: c as VERIFIED"),
    ],
)
def test_drat_trim_must_say_so(program, says, reason):
    program("drat-trim", says)
    with pytest.raises(CheckError, match=f"^{reason}$"):
        by_drat_trim(PIGEONS, pigeons_proof())


def test_lrat_check_must_say_so_too(program):
    program("drat-trim", "s VERIFIED")
    program("lrat-check", "c failed", code=1)
    with pytest.raises(CheckError, match="lrat-check does not accept the proof: c failed"):
        by_drat_trim(PIGEONS, pigeons_proof())
    program("lrat-check", "c VERIFIED")
    by_drat_trim(PIGEONS, pigeons_proof())
