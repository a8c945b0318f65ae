"""Bitwuzla, with formulas turned to its terms one for one; needs the package ``bitwuzla``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

from bitwuzla import Bitwuzla, Kind, Option, Options, Result, Term, TermManager
from pysmt import operators
from pysmt.fnode import FNode

from spikeproof.prover.encoding.bitblast import bottom_up
from spikeproof.prover.engines.child import Child
from spikeproof.prover.engines.engine import Answer, Engine
from spikeproof.prover.evidence.record import EngineUse, Status

_KINDS: dict[int, Kind] = {
    operators.AND: Kind.AND,
    operators.OR: Kind.OR,
    operators.NOT: Kind.NOT,
    operators.IFF: Kind.EQUAL,
    operators.IMPLIES: Kind.IMPLIES,
    operators.ITE: Kind.ITE,
    operators.EQUALS: Kind.EQUAL,
    operators.BV_NOT: Kind.BV_NOT,
    operators.BV_AND: Kind.BV_AND,
    operators.BV_OR: Kind.BV_OR,
    operators.BV_XOR: Kind.BV_XOR,
    operators.BV_ADD: Kind.BV_ADD,
    operators.BV_SUB: Kind.BV_SUB,
    operators.BV_NEG: Kind.BV_NEG,
    operators.BV_MUL: Kind.BV_MUL,
    operators.BV_UDIV: Kind.BV_UDIV,
    operators.BV_UREM: Kind.BV_UREM,
    operators.BV_LSHL: Kind.BV_SHL,
    operators.BV_LSHR: Kind.BV_SHR,
    operators.BV_ULT: Kind.BV_ULT,
    operators.BV_ULE: Kind.BV_ULE,
    operators.BV_SLT: Kind.BV_SLT,
    operators.BV_SLE: Kind.BV_SLE,
    operators.BV_EXTRACT: Kind.BV_EXTRACT,
    operators.BV_CONCAT: Kind.BV_CONCAT,
    operators.BV_ZEXT: Kind.BV_ZERO_EXTEND,
    operators.BV_SEXT: Kind.BV_SIGN_EXTEND,
}


class Translator:
    """Translates formulas into terms of one manager; symbols of one name are one constant."""

    def __init__(self) -> None:
        self.manager = TermManager()
        self.symbols: dict[str, Term] = {}
        self._terms: dict[FNode, Term] = {}

    def term(self, formula: FNode) -> Term:
        """The term of a formula.

        Raises:
            ValueError: for operators outside the fragment.
        """
        return bottom_up(formula, self._terms, self._translate)

    def _translate(self, node: FNode, args: list[Term]) -> Term:
        manager = self.manager
        if node.is_symbol():
            kind, name = node.symbol_type(), node.symbol_name()
            sort = manager.mk_bool_sort() if kind.is_bool_type() else manager.mk_bv_sort(kind.width)
            return self.symbols.setdefault(name, manager.mk_const(sort, name))
        if node.is_bool_constant():
            return manager.mk_true() if node.constant_value() else manager.mk_false()
        if node.is_bv_constant():
            return manager.mk_bv_value(manager.mk_bv_sort(node.bv_width()), int(node.constant_value()))
        if node.node_type() not in _KINDS:
            raise ValueError(f"no term for {operators.op_to_str(node.node_type())}")
        return manager.mk_term(_KINDS[node.node_type()], args, _indices(node))


def _indices(node: FNode) -> list[int]:
    if node.is_bv_extract():
        return [node.bv_extract_end(), node.bv_extract_start()]
    if node.is_bv_zext() or node.is_bv_sext():
        return [node.bv_extend_step()]
    return []


def solve(formulas: Sequence[FNode]) -> tuple[bool | None, dict[str, int]]:
    """Whether formulas hold together, None if Bitwuzla gives up; if so, the symbols' values.

    Raises:
        ValueError: for operators outside the fragment.
    """
    translator = Translator()
    options = Options()
    options.set(Option.PRODUCE_MODELS, True)
    solver = Bitwuzla(translator.manager, options)
    for formula in formulas:
        solver.assert_formula(translator.term(formula))
    match solver.check_sat():
        case Result.UNSAT:
            return False, {}
        case Result.SAT:
            values = {n: solver.get_value(t).value(10) for n, t in translator.symbols.items()}
            return True, {name: int(value) for name, value in values.items()}
    return None, {}


def _check(formulas: Sequence[FNode], timeout: float) -> Answer:
    return Child(partial(_decide, formulas)).answer(timeout)


def _decide(formulas: Sequence[FNode]) -> Answer:
    satisfiable, values = solve(formulas)
    if satisfiable is None:
        return Answer(Status.UNKNOWN, reason="Bitwuzla gave up")
    return Answer(Status.SATISFIABLE if satisfiable else Status.UNSATISFIABLE, values)


def engine(name: str) -> Engine:
    """The engine."""
    return Engine(EngineUse(name, version("bitwuzla"), ""), _check)
