"""Theorems as others write them: in capitals, and in TestFloat's words."""

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
    "roundtoint": "round_to_integral.rne.signalling.any_nan",
}
"""TestFloat's functions, in small letters, as what stands behind the format here: docs/testfloat.md."""


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
    operation = FUNCTIONS.get(operation, operation).split(".")[0]
    return ".".join(filter(None, (target, operation, *rest)))
