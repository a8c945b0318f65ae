"""What is meant by names that are none: theorems as others write them, and names that come close.

Others write in capitals, and in the words of TestFloat, C and NumPy. What states theorems is loaded for
names alone that may describe one: who mistypes a name does not wait for it.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from fnmatch import fnmatchcase
from heapq import nsmallest
from itertools import chain, takewhile

from spikeproof.prover.claims.announced import is_glob
from spikeproof.specs.formats import format_named

TYPES = {
    **{f"f{width}": f"fp{width}" for width in (16, 32, 64)},
    **{"bf16": "bfloat16", "f128": "e15m112"},
    **{
        f"{letters}{width}": f"{name}{width}"
        for letters, name in (("i", "int"), ("ui", "uint"))
        for width in (32, 64)
    },
}
"""What TestFloat's types are called here."""

FUNCTIONS = {
    "add": "add.rne",
    "sub": "subtract.rne",
    "mul": "multiply.rne",
    "div": "divide.rne",
    "sqrt": "square_root.rne",
    "muladd": "fma.rne",
    "rem": "remainder.flags",
    "eq": "equal.flags",
    "lt_quiet": "less.flags",
    "le_quiet": "less_equal.flags",
    "eq_signaling": "signalling_equal.flags",
    "lt": "signalling_less.flags",
    "le": "signalling_less_equal.flags",
    "roundtoint": "round_to_integral.rne.any_nan.signalling.silent_conversion.flags",
}
"""TestFloat's functions, in small letters, as what stands behind the format here: docs/testfloat.md."""

LIBRARIES = {"fmod": "truncated_remainder", "power": "pow", "arctan2": "atan2"}
"""What C's and NumPy's functions are called here."""


def respelled(name: str) -> str:
    """A name of a theorem, or a pattern, in our words where it is in others'; there need not be such."""
    target, *words = name.lower().split(".")
    source, _, function = target.partition("_")
    if not words and source in TYPES:
        if function.startswith("to_"):
            other = function.removeprefix("to_")
            return f"{TYPES.get(other, other)}.convert_from_{TYPES[source]}.rne"
        return f"{TYPES[source]}.{FUNCTIONS.get(function, function)}"
    target, operation, *rest = TYPES.get(target, target), *words, ""
    if operation.startswith("convert_to_"):
        target, operation = operation.removeprefix("convert_to_"), f"convert_from_{target}"
    operation = {**FUNCTIONS, **LIBRARIES}.get(operation, operation).split(".")[0]
    return ".".join(filter(None, (target, operation, *rest)))


def may_be_described(name: str, names: Sequence[str]) -> bool:
    """Whether a name may describe a theorem, by all names that are listed; if not, it does not.

    An operation stands in the second place, or behind a family's word come words of its own. Of each
    operation a theorem is listed, but for the numbers and formats in some.
    """
    family, operation = _family(name), _letters(name)
    if operation and operation in set(map(_letters, names)):
        return True
    return not _is_format(family) and family in set(map(_family, names))


def _family(name: str) -> str:
    return name.split(".")[0]


def _letters(name: str) -> str:
    """With which letters the second word of a name begins: ``dot`` of ``fp16.dot4_add.rne``."""
    _, _, rest = name.partition(".")
    return re.split("[^a-z]", rest, maxsplit=1)[0]


def hint(given: str, names: Sequence[str]) -> str:
    """What may be meant by a name, or a pattern, that matches none of these names; a clause."""
    pattern = respelled(given)
    if any(fnmatchcase(name, pattern) for name in names) or _described_name(pattern, names):
        return f"did you mean {pattern}?"
    words = list(takewhile(lambda word: not is_glob(word), pattern.split(".")))
    ours = _described_name(".".join(words), names) if is_glob(pattern) else None
    if ours and ours not in names:
        return f"{ours} can be named though it is not listed: name theorems in full"
    families = sorted(set(map(_family, names)))
    family = _family(pattern)
    if _is_format(family) and family not in families:
        return f"formats such as {family} have no list: name the theorem in full, e.g. e5m6.add.rne"
    if not any(fnmatchcase(known, family) for known in families):
        single = (known for known in families if not known.endswith("x2"))
        return f"names begin with a format or a family: {', '.join(single)}"
    if family == "program" and not is_glob(pattern):
        return f"a program is program.FORMAT.LAYER.MODE.SHAPE.ORDER; layers are {_layers()}"
    longer = [name for name in names if name.startswith(f"{pattern}.")]
    if close := longer[:3] or closest(pattern, names):
        return "did you mean " + " or ".join(close) + "?"
    return "`spikeproof list` shows all names"


COMPARED = 300
"""So many names, at most, are compared with a pattern letter by letter."""


def closest(pattern: str, names: Sequence[str]) -> list[str]:
    """Up to three names that come closest: of those that share most words with what may be meant.

    To compare all names letter by letter would take seconds.
    """
    words = {name: frozenset(name.split(".")) for name in names}
    known = frozenset(chain.from_iterable(words.values()))
    meant = frozenset(
        chain.from_iterable(
            [word] if word in known else get_close_matches(word, known) for word in pattern.split(".")
        )
    )
    shared = {name: len(meant & said) for name, said in words.items()}
    most = max(shared.values(), default=0)
    near = (name for name in names if shared[name] == most)
    compared = nsmallest(COMPARED, near, key=lambda name: abs(len(name) - len(pattern)))
    return get_close_matches(pattern, compared, cutoff=0.5)


def _described_name(name: str, names: Sequence[str]) -> str | None:
    """What the theorem that a name describes is called, if it describes one."""
    if not may_be_described(name, names):
        return None
    from spikeproof.proofs.names import described

    with suppress(ValueError):
        found = described(name)
        return found.name if found else None
    return None


def _layers() -> str:
    """What layers there are programs of."""
    from spikeproof.proofs import language_models, programs

    return ", ".join((*programs.OPERATIONS, *language_models.KINDS, *language_models.OF_MODELS))


def _is_format(name: str) -> bool:
    with suppress(ValueError):
        return bool(format_named(name))
    return False
