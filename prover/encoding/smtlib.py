"""Formulas as SMT-LIB 2 scripts: what a reader, or a solver of any make, is given to check.

A script is a text in a standard language, so that its SHA-256 can be cited. It depends on the formulas
alone: not on what else was built before them, nor on the order in which Python iterates over a set.
Every inner node of a formula is defined once, after what it is made of; a script is therefore linear in
the nodes, and no term of it is nested. The fragment is that of ``prover.encoding.bitblast``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from pysmt import operators
from pysmt.fnode import FNode

from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.claims.programs import ProgramClaim
from spikeproof.prover.claims.tabulated import TabulatedClaim

_FUNCTIONS: dict[int, str] = {
    operators.AND: "and",
    operators.OR: "or",
    operators.NOT: "not",
    operators.IFF: "=",
    operators.IMPLIES: "=>",
    operators.ITE: "ite",
    operators.EQUALS: "=",
    operators.BV_NOT: "bvnot",
    operators.BV_AND: "bvand",
    operators.BV_OR: "bvor",
    operators.BV_XOR: "bvxor",
    operators.BV_ADD: "bvadd",
    operators.BV_SUB: "bvsub",
    operators.BV_NEG: "bvneg",
    operators.BV_MUL: "bvmul",
    operators.BV_UDIV: "bvudiv",
    operators.BV_UREM: "bvurem",
    operators.BV_LSHL: "bvshl",
    operators.BV_LSHR: "bvlshr",
    operators.BV_ULT: "bvult",
    operators.BV_ULE: "bvule",
    operators.BV_SLT: "bvslt",
    operators.BV_SLE: "bvsle",
    operators.BV_CONCAT: "concat",
}
"""What SMT-LIB calls each operator; ``_INDEXED`` has the others."""

_INDEXED: dict[int, Callable[[FNode], str]] = {
    operators.BV_EXTRACT: lambda n: f"(_ extract {n.bv_extract_end()} {n.bv_extract_start()})",
    operators.BV_ZEXT: lambda n: f"(_ zero_extend {n.bv_extend_step()})",
    operators.BV_SEXT: lambda n: f"(_ sign_extend {n.bv_extend_step()})",
}

_BOOLEAN = "Bool"

_PREDICATES = {
    operators.EQUALS,
    operators.BV_ULT,
    operators.BV_ULE,
    operators.BV_SLT,
    operators.BV_SLE,
}
"""Operators whose result is a Boolean, whatever their operands are."""

_RESIZING = {*_INDEXED, operators.BV_CONCAT}
"""Operators whose result is of another width than their operands."""

_SIMPLE = re.compile(r"[A-Za-z~!$%^&*_+=<>?/-][A-Za-z0-9~!@$%^&*_+=<>.?/-]*")
"""Symbols that need no bars; those that begin with ``@`` or ``.`` are the solver's own."""

_TAKEN = {
    *_FUNCTIONS.values(),
    *("true", "false", "xor", "distinct", "bvnand", "bvnor", "bvxnor", "bvcomp", "bvsdiv", "bvsrem"),
    *("bvsmod", "bvashr", "bvuge", "bvugt", "bvsge", "bvsgt", "extract", "repeat", "zero_extend"),
    *("sign_extend", "rotate_left", "rotate_right", "_", "!", "as", "let", "exists", "forall"),
    *("match", "par", "BINARY", "DECIMAL", "HEXADECIMAL", "NUMERAL", "STRING"),
}
"""Words that mean something in the logic already; bars would not make them other words."""


def script(formulas: Sequence[FNode]) -> str:
    """A script that is satisfiable iff the formulas are, together.

    Raises:
        ValueError: for an operator outside the fragment, or a symbol that SMT-LIB cannot write.
    """
    writer = _Writer(formulas)
    asserted = (f"(assert {writer.term(formula)})" for formula in formulas)
    return writer.text(asserted)


def definitions(buses: Mapping[str, FNode]) -> str:
    """A script that defines each bus, under its name after ``$.``, and asserts nothing.

    Raises:
        ValueError: as ``script`` does.
    """
    by_name = sorted(buses.items())
    writer = _Writer([formula for _, formula in by_name])
    defined = (
        writer.definition(_quoted(f"{writer.prefix}.{name}"), formula) for name, formula in by_name
    )
    return writer.text(defined)


def script_sha256(formulas: Sequence[FNode]) -> str:
    """The SHA-256 of a script."""
    return _sha256(script(formulas))


def buses_sha256(buses: Mapping[str, FNode]) -> str:
    """The SHA-256 of the definitions of some buses."""
    return _sha256(definitions(buses))


def spec_sha256(claim: Claim) -> str:
    """The SHA-256 of what should be seen of the outputs; of a claim about formulas alone, its own.

    Where something is assumed of the inputs, of that too. Of a table it is that of the table's content,
    then what counts of its outputs where not everything does, and what is assumed; of a program, that of
    the spec's.
    """
    if isinstance(claim, ProgramClaim):
        return claim.spec.digest
    if isinstance(claim, TabulatedClaim):
        counting = definitions(claim.counting) if claim.counting else ""
        assumed = script(claim.assumptions) if claim.assumptions else ""
        return hashlib.sha256(claim.table.content + (counting + assumed).encode()).hexdigest()
    if claim.expected and claim.assumptions:
        return _sha256(definitions(claim.seen(claim.expected)) + script(claim.assumptions))
    return buses_sha256(claim.seen(claim.expected)) if claim.expected else script_sha256(claim.negation)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _Writer:
    """Terms for all nodes of some formulas, by the identity of the node: hashing nodes takes longer.

    Attributes:
        prefix: how the names of inner nodes begin, and those of no symbol.
    """

    def __init__(self, formulas: Sequence[FNode]) -> None:
        leaves, inner = _in_order(formulas)
        symbols = sorted(filter(FNode.is_symbol, leaves), key=FNode.symbol_name)
        self.prefix = "$"
        while any(symbol.symbol_name().startswith(self.prefix) for symbol in symbols):
            self.prefix += "$"
        self._terms: dict[int, str] = {id(leaf): _leaf(leaf) for leaf in leaves}
        self._sorts: dict[int, str] = {id(leaf): _leaf_sort(leaf) for leaf in leaves}
        self._lines = [
            "(set-logic QF_BV)",
            *(f"(declare-const {self.term(s)} {self._sorts[id(s)]})" for s in symbols),
        ]
        self._define_all(inner)

    def _define_all(self, inner: Sequence[FNode]) -> None:
        """Defines nodes, each after its operands."""
        terms, sorts, prefix = self._terms, self._sorts, self.prefix
        for index, node in enumerate(inner, start=1):
            kind, operands = node.node_type(), node.args()
            if kind in _PREDICATES:
                sort = _BOOLEAN
            elif kind in _RESIZING:
                sort = _word(node.bv_width())
            else:
                sort = sorts[id(operands[-1])]
            function = _FUNCTIONS.get(kind) or _indexed(node)
            applied = " ".join([terms[id(operand)] for operand in operands])
            name = f"{prefix}{index}"
            terms[id(node)], sorts[id(node)] = name, sort
            self._lines.append(f"(define-fun {name} () {sort} ({function} {applied}))")

    def term(self, node: FNode) -> str:
        """What stands for a node."""
        return self._terms[id(node)]

    def definition(self, name: str, node: FNode) -> str:
        """Another name for a node."""
        return f"(define-fun {name} () {self._sorts[id(node)]} {self.term(node)})"

    def text(self, last: Iterable[str]) -> str:
        """The whole script, with these lines before the question."""
        return "\n".join((*self._lines, *last, "(check-sat)", ""))


def _in_order(formulas: Sequence[FNode]) -> tuple[list[FNode], list[FNode]]:
    """Leaves and inner nodes, each once: operands first, from left to right."""
    leaves, inner = [], []
    seen: set[int] = set()
    opened: list[FNode] = []  # nodes whose operands are being dealt with
    pending = list(reversed(formulas))
    while pending:
        node = pending.pop()
        if opened and opened[-1] is node:
            inner.append(opened.pop())
        elif id(node) not in seen:
            seen.add(id(node))
            operands = node.args()
            if operands:
                opened.append(node)
                pending.append(node)
                pending.extend(operands[::-1])
            else:
                leaves.append(node)
    return leaves, inner


def _indexed(node: FNode) -> str:
    if node.node_type() not in _INDEXED:
        raise ValueError(f"no SMT-LIB for {operators.op_to_str(node.node_type())}")
    return _INDEXED[node.node_type()](node)


def _leaf(node: FNode) -> str:
    """The term of a node without operands."""
    if node.is_symbol():
        return _quoted(_untaken(node.symbol_name()))
    if node.is_bool_constant():
        return "true" if node.constant_value() else "false"
    if node.is_bv_constant():
        return f"(_ bv{node.constant_value()} {node.bv_width()})"
    raise ValueError(f"no SMT-LIB for {operators.op_to_str(node.node_type())}")


def _leaf_sort(node: FNode) -> str:
    return _BOOLEAN if node.get_type().is_bool_type() else _word(node.bv_width())


def _untaken(name: str) -> str:
    """A name that means nothing yet: another one for every name."""
    return f"{name}'" if name.rstrip("'") in _TAKEN else name


def _quoted(name: str) -> str:
    """A name as a symbol of SMT-LIB."""
    if _SIMPLE.fullmatch(name):
        return name
    if "|" in name or "\\" in name or not name.isprintable():
        raise ValueError(f"SMT-LIB has no symbol {name!r}; rename it without '|' and '\\\\'")
    return f"|{name}|"


def _word(width: int) -> str:
    return f"(_ BitVec {width})"
