"""Netlists read as integer programs, against plain evaluation; and programs that are not the netlist."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_code import CompiledProgram, CompiledPrograms
from spikeproof.circuits.meanings.program_joining import joined
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import (
    Count,
    Digits,
    Entry,
    Form,
    Given,
    Hole,
    Match,
    Part,
    Product,
    Program,
    ProgramError,
    ProgramEvaluator,
    Quotient,
    Root,
    constant_in_a_row,
    ranges,
    require_program,
)
from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Block, Netlist, NetlistBuilder, Neuron
from spikeproof.circuits.units.forms import NEVER, bits, number, signals
from spikeproof.circuits.units.functions.quotient import quotient
from spikeproof.circuits.units.functions.root import root
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import library_gates
from tests.support.profile import NIGHTLY

WIDTH = 10
EVERY = {"x": np.arange(1 << WIDTH, dtype=np.uint64)}
KINDS = ("digits", "comparators", "product", "square", "matches", "linear", "quotient", "root")


@cache
def recurrences() -> Netlist:
    """Quotients, what remains of one, and roots of every scale."""
    gates = library_gates("threshold")
    sums = Sums(gates)
    x = bits(gates.builder.input("x", WIDTH))
    low, high = x[:4], x[4:]
    digits, rest = quotient(sums, number(high) * 9 - number(low) * 3 - 2, low, 6)
    doubled, _ = quotient(sums, number(high) * 5 + number(low), (NEVER, *low), 5)
    outputs = {"quotient": digits, "rest": sums.digits(rest + 900, 11), "doubled": doubled}
    for scale, less in ((1, 0), (2, 1), (1, 1), (2, 0)):
        found = root(sums, number(high) * (40 * scale + less) - number(low) * 7 - 20, 6, scale, less)
        outputs[f"root{scale}{less}"] = found
    return gates.builder.build({name: signals(gates, places) for name, places in outputs.items()})


@cache
def everything() -> Netlist:
    """A circuit of every kind of word."""
    gates = library_gates("threshold")
    sums = Sums(gates)
    x = bits(gates.builder.input("x", WIDTH))
    low, high = x[:5], x[5:]
    table = sums.table(sums.comparators(number(high), [3, 7, 8, 20, 31]), [9, 0, 30, 7, 100, 64])
    coarse = sums.digits(table * 3 - number(low) * 2, 9, step=2)
    fine = sums.digits(table * 3 - number(low) * 2 + 5, 9)
    mixed = sums.product(fine[2:8], low) + sums.square(high) * 3 - number(coarse)
    digits = sums.digits(mixed + number(sums.given(low, high[2])) * 7 - 40, 12)
    mended = number(digits) + sums.chosen(sums.matches(x, [0, 9, 700, 1023]), [1, -3, 2, 5])
    outputs = {"out": sums.digits(mended, 13), "top": digits[-2:]}
    return gates.builder.build({name: signals(gates, places) for name, places in outputs.items()})


@cache
def program_of_everything() -> Program:
    return read_program(everything())


@cache
def program_of_recurrences() -> Program:
    return read_program(recurrences())


def evaluated(netlist: Netlist, inputs=None):
    return ProgramEvaluator(netlist, read_program(netlist)).evaluate(inputs or EVERY)


def assert_alike(netlist: Netlist) -> None:
    expected = boolean.evaluate(netlist, EVERY)
    compiled = CompiledProgram(netlist, read_program(netlist), threads=1)
    for found in (evaluated(netlist), compiled.evaluate(0, 1 << WIDTH)):
        assert set(found) == set(expected)
        for name, values in expected.items():
            assert np.array_equal(found[name], values)


def words_of(netlist: Netlist):
    return [type(word) for word in read_program(netlist).words]


def test_every_kind_of_word():
    netlist = everything()
    assert_alike(netlist)
    assert words_of(netlist) == [
        *(Given, Count, Digits, Digits, Product, Product, Product, Digits, Match, Digits)
    ]


def test_recurrences():
    netlist = recurrences()
    assert_alike(netlist)
    assert words_of(netlist) == [*(Given, Quotient, Quotient, Product, Digits, Root, Root, Root, Root)]
    assert_alike(replace(netlist, cells=()))


@given(st.data())
@settings(max_examples=60 if NIGHTLY else 10, deadline=None)
def test_a_changed_neuron_of_a_recurrence(data):
    assert_alike(with_a_changed_neuron(data, recurrences()))


def test_without_cells_every_neuron_is_a_count():
    netlist = replace(everything(), cells=())
    assert set(words_of(netlist)) == {Given, Count}
    assert_alike(netlist)


def with_a_changed_neuron(data, netlist: Netlist) -> Netlist:
    index = data.draw(st.integers(0, len(netlist.neurons) - 1))
    neuron = netlist.neurons[index]
    if neuron.synapses and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(neuron.synapses) - 1))
        source, weight = neuron.synapses[place]
        changed = (source, weight + data.draw(st.sampled_from([w for w in (1, -1, 8) if w + weight])))
        synapses = (*neuron.synapses[:place], changed, *neuron.synapses[place + 1 :])
        neuron = replace(neuron, synapses=synapses)
    else:
        neuron = replace(neuron, threshold=neuron.threshold + data.draw(st.sampled_from((1, -1, 5))))
    neurons = (*netlist.neurons[:index], neuron, *netlist.neurons[index + 1 :])
    return replace(netlist, neurons=neurons)


@given(st.data())
@settings(max_examples=60 if NIGHTLY else 10, deadline=None)
def test_a_changed_neuron(data):
    assert_alike(with_a_changed_neuron(data, everything()))


@st.composite
def netlists(draw) -> Netlist:
    """Any neurons, with cells that say anything of them."""
    builder = NetlistBuilder()
    known = list(builder.input("x", WIDTH))
    usual = st.sampled_from((1, 1, 1, -1, 2, 4, 8, -16, 3, Fraction(1, 3)))
    for _ in range(draw(st.integers(1, 25))):
        synapses = draw(st.lists(st.tuples(st.sampled_from(known), usual), max_size=6))
        signal = builder.neuron(synapses, Fraction(draw(st.integers(-9, 30)), 2))
        known += [signal] * (signal >= 0)
    netlist = builder.build({"out": tuple(draw(st.lists(st.sampled_from(known), min_size=1)))})
    every = tuple(range(netlist.signal_count))
    signal = st.one_of(st.sampled_from(every), st.sampled_from((ZERO, ONE, UNUSED)))
    names = st.sampled_from(("a", "b", "in", "out", "divisor", "1", "2", "4", "8", "minus3"))
    buses = st.dictionaries(names, st.lists(signal, min_size=1, max_size=9).map(tuple), max_size=5)
    cells = [
        Block(f"c{place}", kind, {"every": every, **draw(buses)}, draw(buses))
        for place, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), max_size=6)))
    ]
    return replace(netlist, cells=tuple(cells))


@given(netlists())
@settings(max_examples=100 if NIGHTLY else 20, deadline=None)
def test_any_netlist_with_any_cells(netlist):
    assert_alike(netlist)


# --- programs that are not the netlist ----------------------------------------------------------


def changed(position: int, **parts) -> Program:
    """The program of ``everything`` with something else in one word."""
    program = program_of_everything()
    words = list(program.words)
    words[position] = replace(words[position], **parts)
    return replace(program, words=tuple(words))


def word(position: int):
    return program_of_everything().words[position]


GIVEN, COUNT, COARSE, FINE, PRODUCT, SQUARE, GATED, DIGITS, MATCH, LAST = range(10)


def shifted(form: Form) -> Form:
    return form._replace(constant=form.constant + 1)


def doubled(form: Form) -> Form:
    first, *others = form.terms
    return form._replace(terms=(first._replace(weight=first.weight * 2), *others))


def with_table(form: Form) -> Form:
    """One value of a table is another."""
    (place,) = (k for k, term in enumerate(form.terms) if isinstance(term, Entry))
    values = form.terms[place].values
    term = form.terms[place]._replace(values=(*values[:2], values[2] + 1, *values[3:]))
    return form._replace(terms=(*form.terms[:place], term, *form.terms[place + 1 :]))


FAULTS = {
    "another input": lambda: changed(GIVEN, bus=word(GIVEN).bus[::-1]),
    "another name": lambda: changed(GIVEN, name="y"),
    "a place": lambda: changed(COUNT, places=(3, 7, 8, 21, 31)),
    "places that fall": lambda: changed(
        COUNT, places=word(COUNT).places[::-1], signals=word(COUNT).signals[::-1]
    ),
    "a place too many": lambda: changed(COUNT, places=(*word(COUNT).places, 40)),
    "what is counted": lambda: changed(COUNT, form=doubled(word(COUNT).form)),
    "an input for a step": lambda: changed(COUNT, signals=(0, *word(COUNT).signals[1:])),
    "no signal": lambda: changed(COUNT, signals=(UNUSED, *word(COUNT).signals[1:])),
    "a constant": lambda: changed(COARSE, form=shifted(word(COARSE).form)),
    "a table": lambda: changed(COARSE, form=with_table(word(COARSE).form)),
    "digits in another order": lambda: changed(FINE, steps=word(FINE).steps[::-1]),
    "a digit less": lambda: changed(FINE, steps=(*word(FINE).steps[:3], *word(FINE).steps[4:])),
    "a digit of another": lambda: changed(
        FINE, steps=((word(FINE).steps[0][0], (word(LAST).steps[0][1])), *word(FINE).steps[1:])
    ),
    "a digit that is not there": lambda: changed(
        FINE, steps=((word(FINE).steps[0][0], (UNUSED,)), *word(FINE).steps[1:])
    ),
    "a factor": lambda: changed(PRODUCT, a=shifted(word(PRODUCT).a)),
    "factors exchanged": lambda: changed(PRODUCT, a=word(PRODUCT).b, b=word(PRODUCT).a),
    "pairs in another order": lambda: changed(PRODUCT, pairs=word(PRODUCT).pairs[::-1]),
    "a pair too few": lambda: changed(PRODUCT, pairs=word(PRODUCT).pairs[1:]),
    "a pair that is left out": lambda: changed(
        PRODUCT, pairs=((UNUSED, *word(PRODUCT).pairs[0][1:]), *word(PRODUCT).pairs[1:])
    ),
    "a pair that is not left out": lambda: changed(PRODUCT, holes=(Hole(1, Form(1, ()), Form(1, ())),)),
    "a diagonal": lambda: changed(
        SQUARE, pairs=((word(SQUARE).pairs[0][1], *word(SQUARE).pairs[0][1:]), *word(SQUARE).pairs[1:])
    ),
    "a code": lambda: changed(MATCH, codes=(0, 9, 700, 1022)),
    "codes in another order": lambda: changed(
        MATCH, codes=word(MATCH).codes[::-1], signals=word(MATCH).signals[::-1]
    ),
    "a code twice": lambda: changed(
        MATCH, codes=(0, *word(MATCH).codes), signals=(word(MATCH).signals[0], *word(MATCH).signals)
    ),
    "a code too large": lambda: changed(MATCH, codes=(0, 9, 700, 1023 + 1024)),
    "what is matched": lambda: changed(MATCH, form=shifted(word(MATCH).form)),
    "some bits of a product": lambda: changed(
        DIGITS, form=Form(0, (word(DIGITS).form.terms[0]._replace(size=3),))
    ),
    "bits that are not there": lambda: changed(COUNT, form=Form(0, (Part(GIVEN, 5, 6, 1),))),
    "half a step": lambda: changed(DIGITS, form=Form(0, (Part(COARSE, 0, 1, 1),))),
    "a part of matches": lambda: changed(LAST, form=Form(0, (Part(MATCH, 0, 3, 1),))),
    "a later word": lambda: changed(COUNT, form=Form(0, (Part(FINE, 0, 9, 1),))),
    "itself": lambda: changed(FINE, form=Form(0, (Part(FINE, 0, 9, 1),))),
    "a word that is not there": lambda: changed(FINE, form=Form(0, (Part(-1, 0, 9, 1),))),
    "an output": lambda: replace(
        program_of_everything(), outputs={"out": Form(0, ()), "top": Form(0, ())}
    ),
    "no outputs": lambda: replace(program_of_everything(), outputs={}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_another_program_is_refused(fault):
    require_program(everything(), program_of_everything())
    with pytest.raises(ProgramError):
        require_program(everything(), FAULTS[fault]())


def recurrence(kind: type, **parts) -> Program:
    """The program of ``recurrences`` with something else in its first word of a kind."""
    program = program_of_recurrences()
    words = list(program.words)
    place = next(k for k, word in enumerate(words) if isinstance(word, kind))
    new = {name: change(getattr(words[place], name)) for name, change in parts.items()}
    words[place] = replace(words[place], **new)
    return replace(program, words=tuple(words))


RECURRENCE_FAULTS = {
    "a dividend": lambda: recurrence(Quotient, form=shifted),
    "a divisor": lambda: recurrence(Quotient, divisor=shifted),
    "bits of a divisor": lambda: recurrence(Quotient, bus=lambda bus: bus[::-1]),
    "digits the other way": lambda: recurrence(Quotient, digits=lambda bus: bus[::-1]),
    "a digit too few": lambda: recurrence(Quotient, digits=lambda bus: bus[1:]),
    "pairs of others": lambda: recurrence(Quotient, pairs=lambda rows: rows[::-1]),
    "a pair too few": lambda: recurrence(Quotient, pairs=lambda rows: (*rows[:-1], rows[-1][1:])),
    "no pair": lambda: recurrence(Quotient, pairs=lambda rows: ((UNUSED, *rows[0][1:]), *rows[1:])),
    "a radicand": lambda: recurrence(Root, form=shifted),
    "another scale": lambda: recurrence(Root, scale=lambda _: 2),
    "less": lambda: recurrence(Root, less=lambda _: 1),
    "no scale": lambda: recurrence(Root, scale=lambda _: 0),
    "digits of a root the other way": lambda: recurrence(Root, digits=lambda bus: bus[::-1]),
    "pairs of other digits": lambda: recurrence(Root, pairs=lambda rows: ((0, *rows[0][1:]), *rows[1:])),
    "a pair of digits too few": lambda: recurrence(Root, pairs=lambda rows: (rows[0][1:], *rows[1:])),
}


@pytest.mark.parametrize("fault", RECURRENCE_FAULTS)
def test_another_recurrence_is_refused(fault):
    require_program(recurrences(), program_of_recurrences())
    with pytest.raises(ProgramError):
        require_program(recurrences(), RECURRENCE_FAULTS[fault]())


def test_roots_of_large_numbers():
    """Where doubles are not exact: squares and their neighbours."""
    gates = library_gates("threshold")
    x = bits(gates.builder.input("x", 31))
    sums = Sums(gates)
    square = sums.square(x)
    near = {
        name: root(sums, square + offset, 31)
        for name, offset in (("below", -1), ("at", 0), ("above", 1))
    }
    netlist = gates.builder.build({name: signals(gates, digits) for name, digits in near.items()})
    size = 1 << 12
    codes = np.arange((1 << 31) - size, 1 << 31, dtype=np.uint64)
    program = read_program(netlist)
    assert [type(word) for word in program.words] == [Given, Product, Root, Root, Root]
    compiled = CompiledProgram(netlist, program, threads=1).evaluate(int(codes[0]), size)
    for found in (ProgramEvaluator(netlist, program).evaluate({"x": codes}), compiled):
        assert np.array_equal(found["below"], codes - 1)
        assert np.array_equal(found["at"], codes)
        assert np.array_equal(found["above"], codes)


def test_pairs_may_be_left_out():
    netlist = everything()
    cells = list(netlist.cells)
    place = next(k for k, cell in enumerate(cells) if cell.kind == "product")
    out = (UNUSED, *cells[place].outputs["out"][1:])
    cells[place] = replace(cells[place], outputs={"out": out})
    netlist = replace(netlist, cells=tuple(cells))
    assert_alike(netlist)
    program = read_program(netlist)
    words = list(program.words)
    place = next(k for k, word in enumerate(words) if isinstance(word, Product))
    product = words[place]
    (hole,) = product.holes
    for wrong in (hole._replace(weight=2), hole._replace(a=hole.b)):
        words[place] = replace(product, holes=(wrong,))
        with pytest.raises(ProgramError, match="leaves out other pairs"):
            require_program(netlist, replace(program, words=tuple(words)))


def test_ranges_hold_on_every_input():
    found, _ = ranges(program_of_everything())
    assert found[COUNT] == (0, 5)
    assert found[DIGITS] == (0, 4095)


@pytest.mark.parametrize("places", [40, 63])
def test_what_words_of_64_bits_do_not_hold(places):
    gates = library_gates("threshold")
    x, y = (bits(gates.builder.input(name, 40)) for name in "xy")
    form = number(x) * (1 << places - 40) if places > 40 else Sums(gates).product(x, y)
    netlist = gates.builder.build({"out": signals(gates, Sums(gates).comparators(form, [5]))})
    with pytest.raises(ProgramError, match="words of 64 bits do not hold"):
        ProgramEvaluator(netlist, read_program(netlist))


def test_inputs_that_do_not_fit():
    with pytest.raises(ValueError, match="to fit 10 bits"):
        evaluated(everything(), {"x": np.array([1 << WIDTH])})
    with pytest.raises(ValueError, match="the netlist has"):
        evaluated(everything(), {"y": np.array([1])})


def long_tables() -> Netlist:
    """Tables and matches of so many entries that they are searched, of numbers that leap."""
    gates = library_gates("threshold")
    sums = Sums(gates)
    x = bits(gates.builder.input("x", WIDTH))
    leaping = sums.digits(sums.product(x[:5], x[5:]) * 3 - number(x), 11)
    steps = sums.comparators(number(leaping), [*range(0, 1000, 37), 1001, 1500, 2047])
    found = sums.table(steps, [k * k % 101 for k in range(len(steps) + 1)])
    mended = sums.chosen(sums.matches(x, range(3, 1000, 61)), [k * 7 % 31 for k in range(17)])
    other = sums.chosen(sums.matches(leaping, range(0, 2048, 99)), [k * 5 % 29 for k in range(21)])
    return gates.builder.build({"out": signals(gates, sums.digits(found + mended - other + 40, 9))})


def test_long_tables():
    assert_alike(long_tables())


@pytest.mark.parametrize("value", [5, -3])
@pytest.mark.parametrize("count", [2, 3, 20])
def test_tables_of_one_value(count, value):
    """Wherever it is, of steps and of matches."""
    gates = library_gates("threshold")
    sums = Sums(gates)
    x = bits(gates.builder.input("x", WIDTH))
    steps = sums.comparators(number(x), [k * 40 + 3 for k in range(count)])
    matches = sums.matches(x, [k * 31 + 7 for k in range(count)])
    outputs = {}
    for place in range(count + 1):
        found = sums.table(steps, [value * (k == place) for k in range(count + 1)])
        chosen = sums.chosen(matches, [value * (k == place) for k in range(count)])
        outputs[f"out{place}"] = sums.digits(found + 2 * chosen + number(x[:3]) + 9, 5)
    assert_alike(gates.builder.build({name: signals(gates, word) for name, word in outputs.items()}))


def test_inputs_in_a_row():
    netlist = long_tables()
    compiled = CompiledProgram(netlist, read_program(netlist))
    expected = boolean.evaluate(netlist, EVERY)["out"]
    assert np.array_equal(compiled.evaluate(512, 64)["out"], expected[512:576])
    for first, size in ((0, 4), (1000, 64), (-8, 8)):
        with pytest.raises(ValueError, match="of 10 bits"):
            compiled.evaluate(first, size)


@pytest.mark.parametrize("size", [1, 4, 32])
def test_constant_rows_are_constant(size):
    """Ranges show it of every single input, and of no row in which something changes."""
    for netlist in (everything(), long_tables()):
        expected, program = boolean.evaluate(netlist, EVERY), read_program(netlist)
        for first in range(0, 1 << WIDTH, size):
            found = constant_in_a_row(program, first, size)
            rows = {
                name: set(values[first : first + size].tolist()) for name, values in expected.items()
            }
            assert found is not None or size > 1
            assert found is None or rows == {name: {value} for name, value in found.items()}


def mended(code: int) -> Netlist:
    """A sum of which one result is 1 more."""
    gates = library_gates("threshold")
    sums = Sums(gates)
    x = bits(gates.builder.input("x", WIDTH))
    word = sums.digits(number(x) * 5 - 700, WIDTH)
    found = number(word) + sums.chosen(sums.matches(x, [code]), [1])
    return gates.builder.build({"out": signals(gates, sums.digits(found, WIDTH + 1))})


def test_programs_are_evaluated_together_as_each_alone():
    """What they share is one word."""
    netlists = [mended(200), mended(300), everything(), long_tables(), mended(200)]
    programs = [read_program(each) for each in netlists]
    together = CompiledPrograms(list(zip(netlists, programs, strict=True)), threads=1)
    for first, size in ((0, 1 << WIDTH), (512, 64)):
        for netlist, found in zip(netlists, together.evaluate(first, size), strict=True):
            expected = boolean.evaluate(netlist, EVERY)
            assert list(found) == list(netlist.outputs)
            for name, values in found.items():
                assert np.array_equal(values, expected[name][first : first + size])
    alike = joined([programs[0], programs[4]])
    assert alike.words == programs[0].words
    assert list(alike.outputs.values()) == 2 * list(programs[0].outputs.values())
    assert len(joined(programs[:2]).words) < len(programs[0].words) + len(programs[1].words)


def test_netlists_of_other_inputs_are_not_evaluated_together():
    gates = library_gates("threshold")
    x = bits(gates.builder.input("x", 4))
    other = gates.builder.build({"out": signals(gates, Sums(gates).digits(number(x) - 3, 4))})
    pairs = [(each, read_program(each)) for each in (mended(200), other)]
    with pytest.raises(ValueError, match="together on the same inputs alone"):
        CompiledPrograms(pairs)


def clamped() -> Netlist:
    """1 of the upper half, but for one input: of x and its parts, a match among them."""
    gates = library_gates("threshold")
    sums = Sums(gates)
    x = bits(gates.builder.input("x", WIDTH))
    upper = sums.digits(number(x[8:]) - 1, 1)
    mended = sums.chosen(sums.matches(x, [700]), [1])
    word = sums.product(x[:8], sums.given(upper, x[7])) * 0 + number(upper) + mended
    return gates.builder.build({"out": signals(gates, sums.digits(word, 2))})


def test_rows_that_are_constant():
    netlist = clamped()
    program = read_program(netlist)
    assert [constant_in_a_row(program, first, 256) for first in range(0, 1024, 256)] == [
        {"out": 0},
        {"out": 0},
        None,
        {"out": 1},
    ]
    expected = boolean.evaluate(netlist, EVERY)["out"]
    compiled = CompiledProgram(netlist, program)
    interpreted = ProgramEvaluator(netlist, program)
    for size in (256, 128, 64):
        for first in range(0, 1024, size):
            for machine in (compiled.evaluate, interpreted.evaluate_in_a_row):
                assert np.array_equal(machine(first, size)["out"], expected[first : first + size])


def test_of_two_buses_no_row_is_known_to_be_constant():
    gates = library_gates("threshold")
    x, y = (bits(gates.builder.input(name, 3)) for name in "xy")
    netlist = gates.builder.build({"out": signals(gates, Sums(gates).digits(number(x) + number(y), 3))})
    assert constant_in_a_row(read_program(netlist), 0, 1) is None


# --- programs that would be the netlist, were words wider, or bits read that there are not ------


def beyond_reach(*, least: int, weight: int = 0) -> Netlist:
    """A sum that is 2^60 throughout, and what waits for one more, or for even more.

    Args:
        weight: of what is read together with these, of which the latter weighs 2^63, and not enough.
    """
    one = 1 << 60
    neurons = [
        Neuron(((0, -1),), 0),
        Neuron(((0, one), (WIDTH, one)), one + 1),
        Neuron(((0, one), (WIDTH, one)), least),
    ]
    if weight:
        synapses = ((0, weight), (WIDTH + 1, 1), (WIDTH + 2, 1 << 63))
        neurons.append(Neuron(synapses, weight + 1))
    return Netlist({"x": WIDTH}, tuple(neurons), {"out": (0, WIDTH + 1, WIDTH + len(neurons) - 1)})


@pytest.mark.parametrize(
    "netlist",
    [
        beyond_reach(least=1 << 63),
        beyond_reach(least=1 << 64),
        beyond_reach(least=-(1 << 63) - 1),
        beyond_reach(least=(1 << 61) + 1, weight=1 << 60),
    ],
)
def test_numbers_that_no_input_reaches_are_of_64_bits_too(netlist):
    """NumPy would make doubles of both numbers, LLVM leave bits out: neurons would fire that cannot."""
    assert boolean.evaluate(netlist, EVERY)["out"].max() <= 5
    for evaluator in (ProgramEvaluator, CompiledProgram):
        with pytest.raises(ProgramError, match="words of 64 bits do not hold"):
            evaluator(netlist, read_program(netlist))


def test_quotients_of_64_digits():
    """LLVM would leave out all but the lowest 64 bits of what is the most."""
    gates = library_gates("threshold")
    x = bits(gates.builder.input("x", WIDTH))
    digits, _ = quotient(Sums(gates), number(x[4:]), x[:4], 64)
    netlist = gates.builder.build({"out": signals(gates, digits[:8])})
    program = read_program(netlist)
    assert [type(word) for word in program.words] == [Given, Quotient]
    for evaluator in (ProgramEvaluator, CompiledProgram):
        with pytest.raises(ProgramError, match="words of 64 bits do not hold"):
            evaluator(netlist, program)


def test_bits_that_are_not_there_do_not_cancel():
    """The last digits of two sums have no neuron: their difference is of the first ones alone."""
    neurons = (
        Neuron(((0, 1), (1, 2)), 2),
        Neuron(((2, 1), (3, 2)), 2),
        Neuron(((WIDTH, 2), (WIDTH + 1, -2)), 1),
    )
    netlist = Netlist({"x": WIDTH}, neurons, {"out": (WIDTH + 2,)})
    halves = [
        Digits(Form(0, (Part(0, 2 * k, 2, 1),)), ((1, (WIDTH + k,)), (0, (UNUSED,)))) for k in (0, 1)
    ]
    words = (Given("x", tuple(range(WIDTH))), *halves)

    def compared(*terms: Part) -> Program:
        count = Count(Form(0, terms), (1,), (WIDTH + 2,))
        return Program((*words, count), {"out": Form(0, (Part(3, 0, 1, 1),))})

    require_program(netlist, compared(Part(1, 1, 1, 2), Part(2, 1, 1, -2)))
    for wrong in (
        compared(Part(1, 0, 2, 1), Part(2, 0, 2, -1)),
        compared(Part(1, 1, 1, 2), Part(2, 1, 1, -2), Part(0, 0, 0, 1)),
    ):
        with pytest.raises(ProgramError):
            require_program(netlist, wrong)


def test_inputs_in_another_order():
    netlist = Netlist({"x": 5, "y": 5}, (Neuron(((0, 1), (5, -2)), 1),), {"out": (10, 3)})
    program = read_program(netlist)
    x, y, word = program.words
    moved = (word.form.terms[0]._replace(word=1), word.form.terms[1]._replace(word=0))
    first, second = program.outputs["out"].terms
    if first.word == 0:
        first = first._replace(word=1)
    exchanged = Program((y, x, replace(word, form=Form(0, moved))), {"out": Form(0, (first, second))})
    every = np.arange(1 << WIDTH, dtype=np.uint64)
    expected = boolean.evaluate(netlist, {"x": every & 31, "y": every >> 5})["out"]
    for each in (program, exchanged):
        assert np.array_equal(CompiledProgram(netlist, each).evaluate(0, 1 << WIDTH)["out"], expected)


@st.composite
def changed_programs(draw) -> Program:
    """The program of ``everything`` with a digit less, or terms more that may cancel each other."""
    program = program_of_everything()
    words = list(program.words)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(1, len(words) - 1))
        word = words[place]
        if isinstance(word, Digits) and draw(st.booleans()):
            lowest, levels = word.steps[-1]
            words[place] = replace(word, steps=(*word.steps[:-1], (lowest, (UNUSED,) * len(levels))))
            continue
        name = "a" if isinstance(word, Product) else "form"
        form = getattr(word, name)
        read, low, size = (draw(st.integers(0, most)) for most in (place - 1, 3, 3))
        more = [Part(read, low, size, weight) for weight in draw(st.sampled_from(((1,), (-1, 1))))]
        terms = form.terms if draw(st.booleans()) else form.terms[:-1]
        words[place] = replace(word, **{name: form._replace(terms=(*terms, *more))})
    return replace(program, words=tuple(words))


@given(changed_programs())
@settings(max_examples=300 if NIGHTLY else 100, deadline=None)
def test_a_changed_program_is_refused_or_is_the_netlist(program):
    try:
        found = ProgramEvaluator(everything(), program).evaluate(EVERY)
    except ProgramError:
        return
    expected = boolean.evaluate(everything(), EVERY)
    assert all(np.array_equal(found[name], values) for name, values in expected.items())
