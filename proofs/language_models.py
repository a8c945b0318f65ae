"""The layers of language models, of proved units, compute what their definitions say, on all inputs.

``program.FORMAT.LAYER[_from_SOURCE].MODE.SHAPE[.ORDER][.fused]``: layers are those of
``specs.transformers``, of which sums are taken in an order, as ``proofs.programs`` has them; each
operation is an instance of a unit, where ``circuits.programs.levels`` puts it. The weights of linear
layers are of SOURCE, if that is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from spikeproof.circuits.programs.levels import in_levels
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY
from spikeproof.proofs.programs import FAMILY, MOST_TERMS, order_in_words
from spikeproof.prover.claims.obligation import Named, Obligation, Profile
from spikeproof.prover.claims.programs import composed
from spikeproof.specs import transformers
from spikeproof.specs.formats import format_named, mode_named
from spikeproof.specs.orders import Order, order_named, pairwise
from spikeproof.specs.programs import Arithmetic, Module, ProgramError
from spikeproof.specs.transformers import Decoder

TINY = Decoder(16, 24, layers=2, heads=4, key_heads=2, head=4, vocabulary=11)

MOST_PLACES = 1 << 20
"""Of layers that take no sums."""

MODELS = {**transformers.WORDS, "tiny": TINY}
"""Decoders by the words for them in names."""


@dataclass(frozen=True)
class Kind:
    """One kind of layer.

    Attributes:
        form: its shape in names, for people.
        build: from a decoder and the numbers of the shape the module.
        words: what it computes, for people.
        fitted: from a decoder and these numbers the decoder that has them.
        summed: whether it takes sums.
        fusing: whether some of these are of products.
        weighted: whether it has linear layers, whose weights may be of another format.
    """

    form: str
    build: Callable[..., Module]
    words: str
    fitted: Callable[..., Decoder] = lambda decoder, *shape: decoder
    summed: bool = True
    fusing: bool = False
    weighted: bool = False


def _fitted(decoder: Decoder, hidden: int, between: int) -> Decoder:
    return replace(decoder, hidden=hidden, intermediate=between)


def _of_gelu(function: str) -> Kind:
    return Kind(
        "HIDDENxINTERMEDIATE",
        lambda decoder, *_: transformers.feed_forward(decoder, by_tanh=function == "tanh"),
        f"a feed-forward network from {{0}} to {{1}} elements and back, with GELU by {function}",
        _fitted,
        fusing=True,
        weighted=True,
    )


KINDS: Mapping[str, Kind] = {
    "softmax": Kind("TERMS", transformers.softmax, "the softmax of {0} terms"),
    "softmax_by_reciprocal": Kind(
        "TERMS",
        partial(transformers.softmax, by_reciprocal=True),
        "the softmax of {0} terms, by the reciprocal of their sum",
    ),
    "silu": Kind("TERMS", transformers.silu, "SiLU of {0} terms", summed=False),
    "gelu": Kind("TERMS", transformers.gelu, "GELU of {0} terms, by erf", summed=False),
    "gelu_tanh": Kind("TERMS", transformers.gelu_tanh, "GELU of {0} terms, by tanh", summed=False),
    "rms_norm": Kind("TERMS", transformers.rms_norm, "{0} terms over their root mean square"),
    "layer_norm": Kind("TERMS", transformers.layer_norm, "{0} terms of mean 0 and variance 1"),
    "rotary": Kind(
        "HEAD",
        lambda decoder, _: transformers.rotary(decoder),
        "a head of {0} elements, turned by a position's angles",
        lambda decoder, head: replace(decoder, head=head),
        summed=False,
    ),
    "attention": Kind(
        "KEYSxHEAD",
        lambda decoder, keys, _: transformers.attention(decoder, keys),
        "attention of a head to {0} keys of {1} elements",
        lambda decoder, _, head: replace(decoder, head=head),
        fusing=True,
    ),
    "swiglu": Kind(
        "HIDDENxINTERMEDIATE",
        lambda decoder, *_: transformers.swiglu(decoder),
        "a gated feed-forward network from {0} to {1} elements and back",
        _fitted,
        fusing=True,
        weighted=True,
    ),
    "feed_forward": _of_gelu("erf"),
    "feed_forward_tanh": _of_gelu("tanh"),
    "embedding": Kind(
        "TOKENSxHIDDEN",
        lambda decoder, *_: transformers.embedding(decoder),
        "the row of one of {0} tokens, of {1} elements",
        lambda decoder, tokens, hidden: replace(decoder, vocabulary=tokens, hidden=hidden),
        summed=False,
    ),
    "argmax": Kind(
        "TERMS",
        transformers.argmax,
        "the place of the largest of {0} terms, none of them NaN",
        summed=False,
    ),
    "sample": Kind(
        "TERMS",
        transformers.sample,
        "the token of {0} that a random number draws, by running sums in sequence of a softmax",
    ),
}
"""By their names, those that need no model."""

OF_MODELS: Mapping[str, tuple[Callable[[Decoder, int], Module], str]] = {
    "block": (transformers.block, "a block of {0} for a token that sees {1} keys"),
    "decoder": (transformers.step, "{0} for a token that sees {1} keys"),
}
"""Those whose shape is a model and the number of keys."""


@dataclass(frozen=True)
class LanguageLayer:
    """A layer of a language model.

    Attributes:
        kind: of ``KINDS`` or ``OF_MODELS``.
        shape, order: by their words; the order is empty if there are no sums.
    """

    kind: str
    fmt: str
    mode: str
    shape: str
    order: str = ""
    source: str = ""
    fused: bool = False

    @property
    def name(self) -> str:
        """As at the head of this module."""
        kind = f"{self.kind}_from_{self.source}" if self.source else self.kind
        words = (self.order, "fused" if self.fused else "")
        return ".".join((FAMILY, self.fmt, kind, self.mode, self.shape, *filter(None, words)))

    def spec(self) -> Module:
        """What it should compute."""
        how = {
            "arithmetic": Arithmetic(self.fmt, self.mode),
            "weights": self.source or self.fmt,
            "order": partial(_ordered, self.order) if self.order else pairwise,
            "fused": self.fused,
        }
        if self.kind in OF_MODELS:
            model, keys = self._model_and_keys
            return OF_MODELS[self.kind][0](_with(MODELS[model], how), keys)
        kind, numbers = KINDS[self.kind], self._numbers
        return kind.build(_with(kind.fitted(TINY, *numbers), how), *numbers)

    def circuit(self) -> Module:
        """The program of units."""
        return in_levels(self.spec(), lambda operation: operation)

    @property
    def statement(self) -> str:
        """What is claimed of it, for people."""
        if self.kind in OF_MODELS:
            what = OF_MODELS[self.kind][1].format(*self._model_and_keys)
        else:
            what = KINDS[self.kind].words.format(*self._numbers)
        weights = f" of weights in {self.source}" if self.source else ""
        order = f", sums {order_in_words(self.order)}" if self.order else ""
        fused = ", products fused in linear layers and attention" if self.fused else ""
        units = f"by units of {DEFAULT_LIBRARY} gates"
        return f"{what}{weights} in {self.fmt}, {self.mode}{order}{fused}, {units}"

    @property
    def parameters(self) -> dict[str, str]:
        """What its name says."""
        said = {"source": self.source, "order": self.order, "fused": "yes" if self.fused else ""}
        return {
            "family": FAMILY,
            "operation": self.kind,
            "format": self.fmt,
            "mode": self.mode,
            "shape": self.shape,
            "library": DEFAULT_LIBRARY,
            **{name: value for name, value in said.items() if value},
        }

    def obligation(self, profile: Profile = Profile.WIDE) -> Obligation:
        """That its neurons compute what they should."""
        return composed(
            self.name,
            self.statement,
            self.spec,
            self.circuit,
            profile=profile,
            parameters=self.parameters,
        )

    @property
    def _numbers(self) -> list[int]:
        return [int(number) for number in self.shape.split("x")]

    @property
    def _model_and_keys(self) -> tuple[str, int]:
        model, _, keys = self.shape.rpartition("x")
        return model, int(keys)


def _ordered(word: str, terms: int) -> Order:
    try:
        return order_named(word, terms)
    except ValueError as error:
        raise ProgramError(f"a sum of {terms} terms has no such order: {error}") from error


def _with(decoder: Decoder, how: Mapping[str, Any]) -> Decoder:
    return replace(decoder, **how)


def layer_named(name: str) -> LanguageLayer | None:
    """The layer of a name as ``LanguageLayer.name`` gives it; None if it does not begin like one.

    Raises:
        ValueError: if what follows is not possible; one line.
    """
    family, fmt, kind, mode, shape, *words = (*name.split("."), *[""] * 4)
    kind, _, source = kind.partition("_from_")
    if family != FAMILY or kind not in {*KINDS, *OF_MODELS}:
        return None
    for named in filter(None, (fmt, source)):
        format_named(named)
    if not mode_named(mode):
        raise ValueError(f"behind {kind} stands a rounding mode, such as rne, not {mode or 'nothing'}")
    form = KINDS[kind].form if kind in KINDS else "MODELxKEYS"
    if not _is_shape(kind, form, shape):
        models = "" if kind in KINDS else f"; models are {', '.join(MODELS)}"
        raise ValueError(f"the shape of {kind} is {form}, not {shape!r}{models}")
    summed = kind in OF_MODELS or KINDS[kind].summed
    most = MOST_TERMS if summed else MOST_PLACES
    numbers = shape.split("x") if kind in KINDS else [shape.rpartition("x")[2]]
    if max(map(int, numbers)) > most:
        raise ValueError(f"{kind} is of up to {most:,} along each axis, not {shape}")
    if source and kind in KINDS and not KINDS[kind].weighted:
        raise ValueError(f"{kind} has no weights of linear layers; leave out '_from_{source}'")
    words = list(filter(None, words))
    fused = "fused" in words
    orders = [word for word in words if word != "fused"]
    if len(orders) != summed:
        wanted = (
            "needs an order, such as pairwise, and no more" if summed else "takes no sums, so no order"
        )
        raise ValueError(f"{kind} {wanted}; behind its shape stands {'.'.join(orders) or 'nothing'}")
    if fused and kind in KINDS and not KINDS[kind].fusing:
        raise ValueError(f"{kind} adds no products of a linear layer; leave out 'fused'")
    if orders:
        order_named(orders[0], 1 << 10)
    return LanguageLayer(kind, fmt, mode, shape, "".join(orders), source, fused)


def _is_shape(kind: str, form: str, shape: str) -> bool:
    if kind in OF_MODELS:
        found = re.fullmatch(r"(.+)x([1-9]\d*)", shape)
        return bool(found) and found[1] in MODELS  # type: ignore[index]
    return bool(re.fullmatch("x".join([r"[1-9]\d*"] * (form.count("x") + 1)), shape))


def described(name: str) -> Obligation | None:
    """The obligation that a name describes; None if it does not begin like one.

    Raises:
        ValueError: if what follows is not possible; one line.
    """
    layer = layer_named(name)
    return layer.obligation() if layer else None


PROMISED = (
    "fp16.softmax.rne.16.pairwise",
    "fp16.softmax_by_reciprocal.rne.16.pairwise",
    "fp16.silu.rne.64",
    "fp16.gelu.rne.64",
    "fp16.gelu_tanh.rne.64",
    "fp16.feed_forward.rne.32x64.lanes8",
    "fp16.feed_forward_tanh.rne.32x64.pairwise.fused",
    "fp16.rms_norm.rne.64.sequential",
    "fp16.layer_norm.rne.64.pairwise",
    "fp16.rotary.rne.64",
    "fp16.attention.rne.16x32.pairwise",
    "fp16.swiglu.rne.32x64.lanes8",
    "fp16.embedding.rne.100x16",
    "fp16.argmax.rne.100",
    "fp16.sample.rne.16.sequential",
    "fp16.block.rne.tinyx3.pairwise",
    "fp16.decoder.rne.tinyx3.pairwise",
)
"""Of the default profile, whose units are too."""


WIDE = ("fp32.decoder.rne.tinyx3.pairwise",)
"""A whole model whose functions are right on each of 2^32 inputs."""


def _promised(name: str, profile: Profile) -> Obligation:
    layer = layer_named(f"{FAMILY}.{name}")
    assert layer
    return layer.obligation(profile)


def obligations() -> Iterator[Named]:
    """A layer of each kind, and whole models; of other shapes they are proved by name."""
    for names, profile in ((PROMISED, Profile.DEFAULT), (WIDE, Profile.WIDE)):
        for name in names:
            yield Named(f"{FAMILY}.{name}", profile, partial(_promised, name))
