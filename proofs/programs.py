"""Layers of proved units compute what the spec's program says, on all inputs: the order is in the name.

``program.FORMAT.OPERATION[_from_SOURCE].MODE.SHAPE.ORDER[.fused][.from_zero][.bias_PLACE]``,
and what names of units have behind the mode. The operation is ``dot``, of a shape ``TERMS``, or
``linear``, ``OUTPUTSxTERMS``. What is added is of FORMAT; factors are of SOURCE, if that is said. A bias
is added ``first``, ``last``, or to the first ``block``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product, takewhile

from spikeproof.circuits.programs import linear as built
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, SMALL
from spikeproof.proofs.names import unit_named
from spikeproof.proofs.rounded_units import AND
from spikeproof.proofs.units import Unit, in_words
from spikeproof.prover.claims.obligation import Named, Obligation, Outcome, Profile
from spikeproof.prover.claims.programs import composed
from spikeproof.specs import layers
from spikeproof.specs.conventions import BY_PLACE
from spikeproof.specs.formats import format_named
from spikeproof.specs.orders import PLAIN, TREE, Order, order_named, pairwise, sequential, tree_word
from spikeproof.specs.products import Dot, fused_products
from spikeproof.specs.programs import Arithmetic, Array, Module, Value, apply, call, module

FAMILY = "program"

MOST_TERMS = 65536

OPERATIONS = ("dot", "linear")

BIASES = {
    "first": "added to the first",
    "last": "added last",
    "block": "added to the first block",
}
"""Where a bias is added, by its word in names."""

WORDS = ("fused", "from_zero", *(f"bias_{place}" for place in BIASES))
"""What may stand in a name behind the order."""

GIVEN = "given_"
"""Begins the word of an order that has no word of its own."""

LONGEST_WORD = 120
"""Of longer words for orders no names are made."""

LONGEST_NAME = 200
"""Files are named after theorems."""


def order_in_words(word: str) -> str:
    """How an order is said to people, behind "added"."""
    if word.startswith(TREE):
        return f"as the tree {word.removeprefix(TREE).replace('_', ' ')}"
    if word.startswith(GIVEN):
        return f"in the order whose digest begins with {word.removeprefix(GIVEN)}"
    plain = {"sequential": "one after another", "reversed": "one after another from the last"}
    name = word.rstrip("0123456789")
    number = word.removeprefix(name)
    parts = {"lanes": f"in {number} lanes", "blocks": f"in blocks of {number}"}
    return {**plain, **parts}.get(name, word)


def order_word(order: Order) -> str:
    """The shortest word for an order."""
    first = order.additions[0] if order.additions else (0, 1)
    words = [*PLAIN, f"blocks{_first_block(order)}", f"lanes{first[1]}"]
    return next((word for word in words if order_named(word, order.terms) == order), tree_word(order))


def _first_block(order: Order) -> int:
    """How many terms are added in sequence at first."""
    pairs = zip(order.additions, sequential(order.terms).additions, strict=True)
    return 1 + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


@dataclass(frozen=True)
class Layer:
    """Sums of products, by units.

    Attributes:
        add: the unit that adds; the others have its format, and are made and round likewise.
        factors: the formats of factors, where they are not its.
        terms, outputs: products of a sum, and sums; None of a single one.
        order: by its word; see ``order_named``.
        bias: ``first``, added to the first product; ``last``, to the sum of all; ``block``, to that of
            the first block; or empty.
    """

    add: Unit
    terms: int
    order: str
    outputs: int | None = None
    source: str = ""
    fused: bool = False
    from_zero: bool = False
    bias: str = ""

    def __post_init__(self) -> None:
        nan = self.add.convention.nan
        if nan in BY_PLACE:
            raise ValueError(
                f"under {nan.value} x + y is not y + x, and an order does not say which stands first"
            )

    @property
    def name(self) -> str:
        """As at the head of this module."""
        fmt, _, mode, *others = self.add.name.split(".")
        said = {"fused": self.fused, "from_zero": self.from_zero, f"bias_{self.bias}": self.bias}
        words = [word for word, is_so in said.items() if is_so]
        return ".".join((FAMILY, fmt, self._operation, mode, self._shape, self.order, *words, *others))

    @property
    def _shape(self) -> str:
        return str(self.terms) if self.outputs is None else f"{self.outputs}x{self.terms}"

    @property
    def _operation(self) -> str:
        return ("dot" if self.outputs is None else "linear") + (
            f"_from_{self.source}" if self.source else ""
        )

    @cached_property
    def way(self) -> Dot:
        """How the sum is taken."""
        order = order_named(self.order, self.terms)
        if self.bias:
            order = with_bias(order, self.bias)
        fused = fused_products(order, self.terms) if self.fused else frozenset[int]()
        fmt = self.add.fmt.name
        factors = Arithmetic(fmt, source=self.source).factors
        return Dot(order, factors, fmt, fused, bool(self.bias), self.from_zero)

    def arithmetic(self, unit: Unit) -> Arithmetic:
        """The operations of units that round as one does, and are made like it."""
        fmt, _, suffix = unit.name.split(".", 2)
        return Arithmetic(fmt, suffix, self.source)

    def spec(self) -> Module:
        """What it should compute."""
        return self.module_of(self.way, in_units=False)

    def circuit(self) -> Module:
        """The program of units."""
        return self.module_of(self.way, in_units=True)

    def module_of(self, way: Dot, *, in_units: bool) -> Module:
        """The circuit, or what it should compute, for sums that are taken in some way."""
        unit = self.add if in_units else replace(self.add, library=DEFAULT_LIBRARY, structure=SMALL)
        dot, linear = (built.dot, built.linear) if in_units else (layers.dot, layers.linear)
        if self.outputs is None:
            return dot(way, self.arithmetic(unit))
        return linear(way, self.outputs, self.arithmetic(unit))

    @property
    def parameters(self) -> dict[str, str]:
        """What its name says, and what goes unsaid there."""
        words = {"fused": self.fused, "from_zero": self.from_zero}
        return {
            **self.add.parameters,
            "family": FAMILY,
            "operation": "dot" if self.outputs is None else "linear",
            **({"source": self.source} if self.source else {}),
            "shape": self._shape,
            "order": self.order,
            **{word: "yes" for word, is_so in words.items() if is_so},
            **({"bias": self.bias} if self.bias else {}),
        }

    @property
    def statement(self) -> str:
        """What is claimed of it, for people."""
        sums = "a sum" if self.outputs is None else f"{self.outputs:,} sums"
        factors = f" of factors in {self.source.replace(AND, ' and ')}" if self.source else ""
        said = {
            ", fused with their additions": self.fused,
            ", begun with +0": self.from_zero,
            **{f", the bias {words}": self.bias == place for place, words in BIASES.items()},
        }
        rounded = self.add.in_words.partition(" rounded ")[2] + self.add.convention_in_words
        return (
            f"{sums} of {self.terms:,} products{factors} in {self.add.fmt.name}, added "
            f"{order_in_words(self.order)}{''.join(word for word, is_so in said.items() if is_so)}, "
            f"rounded {rounded}, by units of {self.add.library} gates{in_words(self.add.structure)}"
        )

    def obligation(self, profile: Profile = Profile.DEFAULT) -> Obligation:
        """That its neurons compute what they should."""
        return composed(
            self.name,
            self.statement,
            self.spec,
            self.circuit,
            profile=profile,
            parameters=self.parameters,
        )


def digest_of(way: Dot) -> str:
    """Some digits that tell ways apart to take a sum, of which one has no name."""
    return hashlib.sha256(repr((way, sorted(way.fused))).encode()).hexdigest()[:12]


def of_any_order(
    name: str, way: Dot, outputs: int | None, add: Unit, profile: Profile = Profile.WIDE
) -> Obligation:
    """That a layer of units computes its sums in any order, such as one that was read from a file.

    Args:
        name: whatever it shall be called; its words are none of ours.
        outputs: how many sums; None for a single one.
        add: the unit that adds; the others are made and round likewise.

    Raises:
        ValueError: if the unit adds another format than the sums are in.
    """
    if way.kind != add.fmt.name:
        raise ValueError(f"sums in {way.kind} are not added by {add.name}")
    source = "" if set(way.factors) == {way.kind} else AND.join(dict.fromkeys(way.factors))
    layer = Layer(
        add, way.products, GIVEN + digest_of(way), outputs, source, bool(way.fused), way.from_zero
    )
    return composed(
        name,
        layer.statement,
        partial(layer.module_of, way, in_units=False),
        partial(layer.module_of, way, in_units=True),
        profile=profile,
        parameters={"family": FAMILY, "kind": name},
    )


def with_bias(order: Order, place: str) -> Order:
    """An order with a bias as another term, the last, which is added where a word of ``BIASES`` says."""
    if place == "block":
        if _first_block(order) < 2:
            raise ValueError("this order has no first block; let the bias be added first or last")
        return _with_bias_at(order, order.terms + _first_block(order) - 2)
    terms, total = order.terms, order.terms + len(order.additions) - 1
    if place == "last":
        moved = [place if place < terms else place + 1 for place in range(total + 1)]
        pairs = [(moved[left], moved[right]) for left, right in order.additions]
        return Order(terms + 1, (*pairs, (moved[total], terms)))
    moved = [terms + 1, *range(1, terms), *range(terms + 2, total + 3)]
    pairs = [(moved[left], moved[right]) for left, right in order.additions]
    return Order(terms + 1, ((0, terms), *pairs))


def layer_of(way: Dot, outputs: int) -> Layer | None:
    """The layer of units to nearest even that takes sums in some way; None if it has no name."""
    plain = way.order.without(way.products) if way.bias else way.order
    source = "" if {*way.factors} == {way.kind} else AND.join(dict.fromkeys(way.factors))
    add = unit_named(f"{way.kind}.add.rne")
    assert isinstance(add, Unit)
    layer = Layer(add, way.products, order_word(plain), outputs, source, bool(way.fused), way.from_zero)
    for bias in BIASES if way.bias else ("",):
        with suppress(ValueError):
            named = replace(layer, bias=bias)
            if named.way == way:
                return named
    return None


def theorem_of(way: Dot, outputs: int, kind: str) -> Obligation:
    """That a linear layer of units to nearest even takes sums in some way.

    It has a name that can be asked for where its order has a short one, or is of few terms.

    Args:
        kind: the format of results and bias, to which sums are rounded if they are in another.
    """
    layer = layer_of(way, outputs)
    if layer and len(layer.order) <= LONGEST_WORD and kind == way.kind:
        return layer.obligation(Profile.WIDE)
    add = unit_named(f"{way.kind}.add.rne")
    assert isinstance(add, Unit)
    name = f"{FAMILY}.{kind}.linear.rne.{outputs}x{way.products}.{GIVEN}{digest_of(way)}"
    theorem = of_any_order(name, way, outputs, add)
    if kind == way.kind:
        return theorem
    arithmetic = (layer or Layer(add, way.products, "as given", outputs, way.factors[0])).arithmetic(add)
    return composed(
        name,
        f"{theorem.statement}; these sums rounded to {kind}",
        lambda: layers.of_format(layers.linear(way, outputs, arithmetic), kind),
        lambda: built.of_format(built.linear(way, outputs, arithmetic), kind),
        profile=Profile.WIDE,
        parameters=theorem.parameters,
    )


def _with_bias_at(order: Order, place: int) -> Order:
    """An order with a bias, which is added to a partial sum."""
    terms, after = order.terms, place - order.terms + 1

    def moved(each: int) -> int:
        return each if each < terms else each + 1 if each < place else each + 2

    named = [(moved(left), moved(right)) for left, right in order.additions]
    return Order(terms + 1, (*named[:after], (place + 1, terms), *named[after:]))


def described(name: str) -> Obligation | None:
    """The obligation that a name describes, promised or not; None if it does not begin like one.

    Raises:
        ValueError: if what follows is not possible; one line.
    """
    layer = layer_named(name)
    return layer.obligation(Profile.WIDE) if layer else None


def layer_named(name: str) -> Layer | None:
    """The layer of a name as ``Layer.name`` gives it; None if it does not begin like one.

    Raises:
        ValueError: if what follows is not possible; one line.
    """
    layer = _read(name)
    if layer is None:
        return None
    if len(name) > LONGEST_NAME:
        raise ValueError(
            "such a tree is too long for a name; give the order from Python (docs/programs.md)"
        )
    if layer.fused and not layer.way.fused:
        raise ValueError("a single product is added to nothing, so it cannot be fused")
    for factor in layer.way.factors:
        format_named(factor)
    return layer


def _read(name: str) -> Layer | None:
    """The same, before it is seen whether there is such an order."""
    family, fmt, operation, mode, shape, order, *words = (*name.split("."), *[""] * 5)
    operation, _, source = operation.partition("_from_")
    if family != FAMILY or operation not in OPERATIONS:
        return None
    words = list(filter(None, words))
    said = {word for word in words if word in WORDS}
    others = [word for word in words if word not in WORDS]
    add = unit_named(".".join((fmt, "add", mode, *others)))
    if not isinstance(add, Unit) or add.flags:
        raise ValueError(f"a layer of {fmt} in mode {mode or 'none'} has no units")
    sizes = _sizes(operation, shape)
    biases = sorted(word.removeprefix("bias_") for word in said if word.startswith("bias_"))
    if len(biases) > 1:
        raise ValueError(f"a bias is added {' or '.join(biases)}; leave out one of them")
    bias = next(iter(biases), "")
    layer = Layer(add, sizes[-1], order, sizes[0] if operation == "linear" else None, source, bias=bias)
    return replace(layer, fused="fused" in said, from_zero="from_zero" in said)


def _sizes(operation: str, shape: str) -> list[int]:
    """Terms, or outputs and terms."""
    form = "TERMS" if operation == "dot" else "OUTPUTSxTERMS"
    sizes = shape.split("x")
    if len(sizes) != form.count("x") + 1 or not all(re.fullmatch(r"[1-9]\d*", each) for each in sizes):
        raise ValueError(f"the shape of {operation} is {form}, not {shape!r}")
    if int(sizes[-1]) > MOST_TERMS:
        raise ValueError(f"sums are of up to {MOST_TERMS:,} products, not {sizes[-1]}")
    return list(map(int, sizes))


# --- refutations --------------------------------------------------------------------------------


def _dot(arithmetic: Arithmetic, order: Order) -> Module:
    factors = arithmetic.factors
    return built.dot(Dot(order, factors, arithmetic.kind), arithmetic)


def _narrow_sum() -> Module:
    """Products of FP8 and their sum in FP16, converted to FP32 at the end."""
    narrow = _dot(Arithmetic("fp16", source="fp8_e4m3fn"), sequential(4))

    def build(x: Value, y: Value) -> Value:
        return apply("fp32.convert_from_fp16.rne", "fp32", call(narrow, x, y))

    return module("dot_4", narrow.inputs, build)


def _difference(turned: bool) -> Module:
    """(x - y) * y for each of four pairs, or (y - x) * y."""
    arithmetic = Arithmetic("fp8_e5m2")

    def build(x: Value, y: Value) -> Value:
        difference = arithmetic.subtract(y, x) if turned else arithmetic.subtract(x, y)
        return arithmetic.multiply(difference, y)

    return module("weighted difference", dict.fromkeys(("x", "y"), Array("fp8_e5m2", (4,))), build)


FP16_SUM, FP8_SUM = Arithmetic("fp16"), Arithmetic("fp32", source="fp8_e4m3fn")

WRONG: Mapping[str, tuple[str, Callable[[], Module], Callable[[], Module]]] = {
    "order": (
        "a sum of 4 products in fp16 that is added pairwise is the one that is added in sequence",
        lambda: layers.dot(Dot(sequential(4), FP16_SUM.factors, "fp16"), FP16_SUM),
        lambda: _dot(FP16_SUM, pairwise(4)),
    ),
    "operands": (
        "(y - x) * y in fp8_e5m2 is (x - y) * y",
        partial(_difference, False),
        partial(_difference, True),
    ),
    "mode": (
        "a sum of 4 products in fp16 rounded toward zero is the one rounded to nearest, ties to even",
        lambda: layers.dot(Dot(sequential(4), FP16_SUM.factors, "fp16"), FP16_SUM),
        lambda: _dot(Arithmetic("fp16", "rtz"), sequential(4)),
    ),
    "accumulator": (
        "a sum of 4 products of fp8_e4m3fn in fp16, converted to fp32, is the one in fp32",
        lambda: layers.dot(Dot(sequential(4), FP8_SUM.factors, "fp32"), FP8_SUM),
        _narrow_sum,
    ),
}
"""Programs that are not what they are said to be: what is wrong, in words, the spec and the circuit."""


def refutations() -> Iterator[Obligation]:
    """``program.wrong.WHAT``: each differs from its spec on the input that the record has."""
    for what, (statement, spec, circuit) in WRONG.items():
        yield composed(
            f"{FAMILY}.wrong.{what}",
            statement,
            spec,
            circuit,
            expected=Outcome.REFUTED,
            parameters={"family": FAMILY, "kind": f"wrong {what}"},
        )


PROMISED = (
    "fp16.dot.rne.128.sequential",
    "fp16.linear.rne.64x128.pairwise",
    "fp16.linear.rne.64x128.lanes8.fused.bias_last",
    "bfloat16.linear.rne.64x128.blocks32.bias_first",
    "fp32.linear.rne.4096x4096.sequential.fused.bias_first",
    "fp32.linear.rne.4096x4096.lanes16.fused.from_zero.bias_last",
    "fp32.linear.rne.512x1024.pairwise.fast",
    "fp32.linear_from_fp8_e4m3fn.rne.256x256.sequential.fused.from_zero",
)
"""Of the default profile, whose units are too."""

WIDE_FACTORS = ("fp8_e4m3fn", "fp16", "bfloat16")


def wide() -> Iterator[str]:
    """Those of ``--wide``."""
    for source, order, fused in product(WIDE_FACTORS, ("sequential", "pairwise"), ("", ".fused")):
        yield f"fp32.linear_from_{source}.rne.128x1024.{order}{fused}"
    yield from (f"fp64.linear.rne.64x1024.{order}" for order in (*PLAIN, "lanes8", "blocks128"))
    yield from (f"fp32.dot.rne.65536.{order}" for order in ("sequential.fused", "pairwise", "lanes16"))


def _promised(name: str, profile: Profile) -> Obligation:
    layer = _read(f"{FAMILY}.{name}")
    assert layer
    return layer.obligation(profile)


def obligations() -> Iterator[Obligation | Named]:
    """Layers of all kinds, and refutations."""
    for names, profile in ((PROMISED, Profile.DEFAULT), (wide(), Profile.WIDE)):
        for name in names:
            yield Named(f"{FAMILY}.{name}", profile, partial(_promised, name))
    yield from refutations()
