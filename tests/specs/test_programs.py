"""What steps of programs mean: as NumPy does it, at each place of leading axes; and what is refused."""

import numpy as np
import pytest

from spikeproof.specs.programs import (
    Arithmetic,
    Arrange,
    Array,
    Each,
    Meaning,
    Module,
    ProgramError,
    Split,
    Value,
    apply,
    call,
    call_all,
    concatenate,
    evaluate,
    module,
    select,
    stack,
)

WORD = Array("word", (2, 3))


class Numbers(Meaning):
    """Operations on integers, by NumPy's names."""

    def each(self, step, operands):
        return getattr(np, step.operation)(*operands)


ARRANGED = {
    "reshape": (lambda x: x.reshape(3, 2), lambda x: x.reshape(3, 2)),
    "flat": (lambda x: x.reshape(6), lambda x: x.reshape(6)),
    "broadcast": (lambda x: x.broadcast(4, 2, 3), lambda x: np.broadcast_to(x, (4, 2, 3))),
    "broadcast one": (lambda x: x[:1].broadcast(5, 3), lambda x: np.broadcast_to(x[:1], (5, 3))),
    "transpose": (lambda x: x.transpose(1, 0), lambda x: x.transpose(1, 0)),
    "take": (lambda x: x.take([1, 0, 1]), lambda x: x[[1, 0, 1]]),
    "take none": (lambda x: x.take([]), lambda x: x[[]]),
    "slice": (lambda x: x.reshape(6)[1::2], lambda x: x.reshape(6)[1::2]),
    "slice of none": (lambda x: x[2:], lambda x: x[2:]),
    "backwards": (lambda x: x.reshape(6)[::-1], lambda x: x.reshape(6)[::-1]),
    "index": (lambda x: x[1], lambda x: x[1]),
    "last": (lambda x: x[-1][-1], lambda x: x[-1, -1]),
    "concatenate": (lambda x: concatenate([x, x[:1]]), lambda x: np.concatenate([x, x[:1]])),
    "stack": (lambda x: stack([x, x, x]), lambda x: np.stack([x, x, x])),
    "split": (lambda x: stack([*x][::-1]), lambda x: np.stack([*x][::-1])),
    "single": (lambda x: stack([*[*x][1]]), lambda x: x[1]),
    "constant": (lambda x: x.draft.constant("word", [[7, 8]]), lambda x: np.array([[7, 8]])),
    "operation": (lambda x: apply("add", "word", x, x[0][1]), lambda x: x + x[0, 1]),
}


@pytest.mark.parametrize("over", [(), (4,), (2, 5)])
@pytest.mark.parametrize(("definition", "wanted"), ARRANGED.values(), ids=ARRANGED)
def test_steps_are_numpys_at_each_place(definition, wanted, over):
    program = module("arranged", {"x": WORD}, definition)
    x = np.random.default_rng(1).integers(0, 100, (*over, *WORD.shape))
    (found,) = evaluate(program, [x], Numbers(), over)
    assert found.shape == over + program.results["result"].shape
    for place in np.ndindex(over):
        assert np.array_equal(found[place], wanted(x[place]))


@pytest.mark.parametrize("over", [(), (4,)])
def test_calls_are_at_each_place_of_their_axes(over):
    """Of several results, and with a constant inside."""

    def inner(x, y):
        return {"sum": apply("add", "word", x, y), "one": x.draft.constant("word", 1)}

    element = module("element", {"x": Array("word"), "y": Array("word")}, inner)
    row = module(
        "row",
        dict.fromkeys("xy", Array("word", (3,))),
        lambda x, y: call_all(element, x, y, over=(3,))[0],
    )

    def outer(x, y):
        total, one = call_all(element, x, y, over=(2, 3))
        return {"total": total, "one": one, "rows": call(row, x, y, over=(2,))}

    program = module("outer", {"x": WORD, "y": WORD}, outer)
    x, y = np.random.default_rng(1).integers(0, 100, (2, *over, 2, 3))
    total, one, rows = evaluate(program, [x, y], Numbers(), over)
    assert np.array_equal(total, x + y)
    assert np.array_equal(rows, x + y)
    assert np.array_equal(one, np.ones((*over, 2, 3)))
    assert [each.name for each in program.modules] == ["element", "row"]
    assert [*program.made] == [range(2, 4), range(4, 5)]


def test_digests_tell_programs_apart():
    def made(name="p", kind="word", operation="add", swapped=False, inner="q"):
        square = module(inner, {"x": Array(kind)}, lambda x: apply("multiply", kind, x, x))
        return module(
            name,
            {"x": Array(kind), "y": Array(kind)},
            lambda x, y: apply(
                operation, kind, *((y, call(square, x)) if swapped else (call(square, x), y))
            ),
        )

    others = [
        made(name="other"),
        made(kind="other"),
        made(operation="subtract"),
        made(swapped=True),
        made(inner="other"),
    ]
    digests = {program.digest for program in (made(), *others)}
    assert len(digests) == 1 + len(others)
    assert made().digest == made().digest


def refused(definition):
    return module("odd", {"x": WORD, "y": Array("word"), "z": Array("other", (2, 3))}, definition)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (lambda x, y, z: x.reshape(4), r"odd: \(2, 3\) is not \(4,\)"),
        (lambda x, y, z: x.broadcast(4, 3), "odd: "),
        (lambda x, y, z: x.transpose(0, 0), "not all axes"),
        (lambda x, y, z: x.transpose(1), "not all axes"),
        (lambda x, y, z: x.take([2]), "place 2 of 2"),
        (lambda x, y, z: x.take([-1]), "odd: place"),
        (lambda x, y, z: y.take([0]), "a single element has no places"),
        (lambda x, y, z: list(y), "a single element can't be split"),
        (lambda x, y, z: y[0], "a single element has no length"),
        (lambda x, y, z: concatenate([x, x.reshape(3, 2)]), "shapes differ"),
        (lambda x, y, z: concatenate([x, z]), "are not of one kind"),
        (lambda x, y, z: apply("add", "word", x, x.reshape(6)), "takes arrays of one shape"),
        (lambda x, y, z: call(refused(lambda x, y, z: y), x, y, x), "odd takes word"),
        (lambda x, y, z: call(refused(lambda x, y, z: y), x, y, z, over=(2,)), "odd takes word"),
    ],
)
def test_steps_that_do_not_fit_are_refused(definition, message):
    with pytest.raises(ProgramError, match=message):
        refused(definition)


@pytest.mark.parametrize(
    ("steps", "outputs", "message"),
    [
        ((Each("add", (0, 1), "word"),), {}, "step 0 of odd: "),
        ((Split((0,)), Each("add", (1, 3), "word")), {}, "step 1 of odd: "),
        ((Split((-1,)),), {}, "step 0 of odd: arrays are numbered from 0"),
        ((), {"result": 1}, "odd: nothing makes result"),
        ((), {"result": -1}, "odd: nothing makes result"),
        ((Arrange("turned", (), (0,)),), {}, "there is no arrangement turned"),
    ],
)
def test_modules_that_are_none_are_refused(steps, outputs, message):
    with pytest.raises(ProgramError, match=message):
        Module("odd", {"x": WORD}, steps, outputs)


def test_what_is_no_longer_needed_is_let_go():
    program = module("sum", {"x": WORD}, lambda x: apply("add", "word", *x))
    assert program.done == ((0,), (1, 2))
    kept = module("kept", {"x": WORD}, lambda x: {"sum": apply("add", "word", x, x), "x": x})
    assert kept.done == ((),)


def of_another(like: Value) -> Value:
    """A value of another module that has the number of one of this."""
    kept = []

    def definition(a):
        value = a
        while value.place < like.place:
            value = apply("add", "word", value, value)
        kept.append(value)
        return value

    module("another", {"a": like.array}, definition)
    return kept[0]


WORDS = Arithmetic("word")

USED = {
    "the result": of_another,
    "one of several results": lambda x: {"x": x, "y": of_another(x)},
    "first operand": lambda x: apply("add", "word", of_another(x), x),
    "second operand": lambda x: apply("add", "word", x, of_another(x)),
    "a single element": lambda x: apply("add", "word", x, of_another(x[0][0])),
    "arithmetic": lambda x: WORDS.fused_multiply_add(x, x, of_another(x)),
    "relation": lambda x: WORDS.holds("greater", x, of_another(x)),
    "select": lambda x: select(WORDS.holds("greater", x, x), x, of_another(x)),
    "concatenate": lambda x: concatenate([x, of_another(x)]),
    "stack": lambda x: stack([x, of_another(x)]),
    "call": lambda x: call(module("two", {"a": WORD, "b": WORD}, WORDS.add), x, of_another(x)),
    "call_all": lambda x: call_all(module("two", {"a": WORD, "b": WORD}, WORDS.add), of_another(x), x),
    "captured": lambda x: call(module("inner", {"p": WORD}, lambda p: WORDS.add(p, x)), x),
    "captured first": lambda x: call(module("inner", {"p": WORD}, lambda p: WORDS.add(x, p)), x),
    "captured and given": lambda x: call(module("inner", {"p": WORD}, lambda p: x), x),
    "captured and taken": lambda x: call(module("inner", {"p": WORD}, lambda p: x.take([1, 0])), x),
}


@pytest.mark.parametrize("definition", USED.values(), ids=USED)
def test_values_of_another_module_are_refused(definition):
    with pytest.raises(ProgramError, match=r"this is a value of \w+, another module") as error:
        module("own", {"x": WORD}, definition)
    assert "\n" not in str(error.value)


NO_VALUES = {
    "operand": lambda x: WORDS.multiply(x, 0.5),
    "first operand": lambda x: WORDS.multiply(0.5, x),
    "array": lambda x: WORDS.add(x, np.zeros((2, 3))),
    "selected": lambda x: select(1, x, x),
    "of select": lambda x: select(WORDS.holds("greater", x, x), 0.5, x),
    "concatenate": lambda x: concatenate([x, [1, 2, 3]]),
    "stack": lambda x: stack([0.5, x]),
    "call": lambda x: call(module("two", {"a": WORD, "b": WORD}, WORDS.add), x, 1),
    "result": lambda x: None,
}


@pytest.mark.parametrize("definition", NO_VALUES.values(), ids=NO_VALUES)
def test_what_is_no_value_is_refused_and_told_how_constants_are_written(definition):
    with pytest.raises(ProgramError, match="this is no Value, but of type") as error:
        module("own", {"x": WORD}, definition)
    assert str(error.value).endswith('x.draft.constant("fp16", 0x3800) is 0.5')
    assert "\n" not in str(error.value)


def test_an_operation_on_nothing_is_refused():
    for nothing in (lambda x: WORDS("add"), lambda x: concatenate([]), lambda x: stack([])):
        with pytest.raises(ProgramError, match="needs a value"):
            module("own", {"x": WORD}, nothing)


@pytest.mark.parametrize("codes", [0.5, [1, 2.0], "1"])
def test_a_constant_is_given_by_codes(codes):
    with pytest.raises(ProgramError, match="own: a constant is given by its codes"):
        module("own", {"x": WORD}, lambda x: x.draft.constant("word", codes))


DECIDING = {
    "truth": lambda x, y: x if x else y,
    "and": lambda x, y: x and y,
    "equality": lambda x, y: x if x == y else y,
    "inequality": lambda x, y: x if x != y else y,
    "equal to itself": lambda x, y: x if x == x else y,
    "equal to a number": lambda x, y: x if x == 0 else y,
    "less": lambda x, y: x if x < y else y,
    "less or equal": lambda x, y: x if x <= y else y,
    "greater": lambda x, y: x if x > y else y,
    "greater or equal": lambda x, y: x if x >= y else y,
    "in a value": lambda x, y: x if y in x else y,
    "in a list": lambda x, y: x if x in [y] else y,
    "in a set": lambda x, y: x if x in {y} else y,
    "largest": lambda x, y: max(x, y),
    "sorted": lambda x, y: sorted([x, y])[0],
    "any": lambda x, y: x if any(x) else y,
}


@pytest.mark.parametrize("definition", DECIDING.values(), ids=DECIDING)
def test_what_a_value_holds_decides_nothing(definition):
    with pytest.raises(ProgramError, match="own: what a value holds is not known while") as error:
        module("own", {"x": WORD, "y": WORD}, definition)
    assert "\n" not in str(error.value)
