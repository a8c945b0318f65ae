"""Several integer programs of the same inputs as one, for whoever evaluates them together.

Programs of one function in several modes begin alike: what is the same of them is evaluated once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spikeproof.circuits.meanings.programs import (
    Count,
    Digits,
    Form,
    Given,
    Hole,
    Match,
    Product,
    Program,
    Quotient,
    Root,
    Word,
)


def joined(programs: Sequence[Program]) -> Program:
    """All outputs of programs of the same inputs, those of program 0 named ``0.result`` and so on.

    Words that have the same value, since they do the same with the same words, are one. Signals are
    those of one program that has it: nobody else reads them.
    """
    words: list[Word] = []
    known: dict[object, int] = {}
    outputs: dict[str, Form] = {}
    for number, program in enumerate(programs):
        where: list[int] = []
        for word in program.words:
            found = _reading(word, where)
            key = _meaning(found)
            if key not in known:
                known[key] = len(words)
                words.append(found)
            where.append(known[key])
        outputs |= {f"{number}.{name}": _moved(form, where) for name, form in program.outputs.items()}
    return Program(tuple(words), outputs)


def _moved(form: Form, where: Sequence[int]) -> Form:
    """The form, if words have other numbers."""
    return Form(form.constant, tuple(term._replace(word=where[term.word]) for term in form.terms))


def _reading(word: Word, where: Sequence[int]) -> Word:
    """The word, likewise."""
    if isinstance(word, Given):
        return word
    if isinstance(word, Product):
        holes = (Hole(each.weight, _moved(each.a, where), _moved(each.b, where)) for each in word.holes)
        return replace(word, a=_moved(word.a, where), b=_moved(word.b, where), holes=tuple(holes))
    moved = replace(word, form=_moved(word.form, where))
    if isinstance(moved, Quotient):
        return replace(moved, divisor=_moved(moved.divisor, where))
    return moved


def _meaning(word: Word) -> object:
    """All that the value of a word depends on."""
    if isinstance(word, Given):
        return word
    if isinstance(word, Digits):
        numbers: tuple[int, ...] = (word.most,)
    elif isinstance(word, Count):
        numbers = word.places
    elif isinstance(word, Match):
        numbers = word.codes
    elif isinstance(word, Quotient):
        numbers = (len(word.digits),)
    elif isinstance(word, Root):
        numbers = (word.scale, word.less, len(word.digits))
    else:
        numbers = tuple(hole.weight for hole in word.holes)
    return type(word), word.forms(), numbers
