"""The rows of a divider or root that says nothing of itself: by the values that a recurrence predicts.

Operands are taken as free. What lies between them and the results is simulated, on operands of every
size, beside the recurrence: a row's bit and its remainder are where signals have the predicted values,
the latter either

    D, as rows that restore have it,    or    D - B (for roots, D - 2Q - 1) where the row's bit is 0.

The latter is signed; copies of its sign belong to it, since a row may read any of them, and so do zeros
above the former. Where several signals have a bit's values one is taken that cuts off all later rows: on
it, and what else the row gives, depends all that is in use of them. What never changes is a constant.
A bit of an operand that is 1 for all normal operands has no values by which it could be found: it is
what neurons between operands and results read besides.

Nothing here is believed: ``prover.kernel.recurrence`` checks what is found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, permutations

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.boolean import Bits, evaluate_signals
from spikeproof.circuits.netlist import ONE, ZERO, Block, Bus, Netlist, NetlistError, Neuron
from spikeproof.prover.claims.obligation import Step
from spikeproof.prover.evidence.record import SEED

COUNT = 512
"""How many operands are simulated."""

MOST_CONSTANT = 2
"""So many bits of operands may be 1 for all normal ones: the first of dividend and divisor."""

Values = Mapping[str, int]
Probes = Mapping[str, Bus]
Alike = Callable[[Bus], Sequence[Sequence[int]]]
"""For each bit of a bus the signals that have the same values, itself among them."""


@dataclass(frozen=True)
class Row:
    """A row's values for one pair of operands: its bit, D, and what is lacking where the bit is 0."""

    bit: int
    remainder: int
    step: int


def quotient_rows(dividend: int, divisor: int, size: int) -> Iterator[Row]:
    """The rows of a division of numbers of so many bits, into a quotient of two more."""
    rest = dividend
    for _ in range(size + 2):
        bit = int(rest >= divisor)
        rest -= bit * divisor
        yield Row(bit, rest, divisor)
        rest *= 2


def root_rows(radicand: int, size: int) -> Iterator[Row]:
    """The rows of the square root of a number of twice so many bits."""
    root = rest = 0
    for place in reversed(range(size)):
        rest = 4 * rest + (radicand >> 2 * place & 3)
        bit = int(rest > 4 * root)
        rest -= bit * (4 * root + 1)
        root = 2 * root + bit
        yield Row(bit, rest, 2 * root + 1)


def row_cells(
    netlist: Netlist, step: Step, probes: Probes, alike: Alike
) -> tuple[Probes, tuple[Block, ...]]:
    """Cells by which the kernel may show quotients or roots, and probes to take instead of some.

    Args:
        step: of method ``quotient`` or ``root``.
        probes: of its operands and results.
        alike: tells which signals have the same values.

    Raises:
        NetlistError: if none are found; it says how far the search came.
    """
    results = [probes[name] for name in step.names]
    cells = _division_cells if step.method == "quotient" else _root_cells
    error = NetlistError("the results depend on more than the operands")
    read = _as_read(netlist, [alike(probes[name]) for name in step.given], results)
    (ones,) = alike((ONE,))
    for operands in _completed(netlist, read, results, ones):
        try:
            read_results, found = cells(_Simulated.of(netlist, operands, results, alike))
        except NetlistError as refused:
            error = refused
        else:
            names = (*step.given, *step.names)
            return dict(zip(names, (*operands, *read_results), strict=True)), found
    raise error


# --- operands -----------------------------------------------------------------------------------


def _as_read(
    netlist: Netlist, operands: Sequence[Sequence[Sequence[int]]], results: Sequence[Bus]
) -> list[Bus]:
    """Of the signals that may be an operand's bit, for each bit the one that results depend on.

    At first the one that is met first from the results; then one that they depend on besides.
    """
    operands = [[bit[:1] if bit[0] < 0 else bit for bit in bus] for bus in operands]
    met = _met(netlist, operands, results)
    chosen = [[next((s for s in bit if s in met), bit[0]) for bit in bus] for bus in operands]
    others, _ = _read_besides(netlist, {s for bus in chosen for s in bus}, results)
    return [
        tuple(
            next((s for s in bit if s in others and s != own), own)
            for bit, own in zip(*buses, strict=True)
        )
        for buses in zip(operands, chosen, strict=True)
    ]


def _met(netlist: Netlist, buses: Sequence[Sequence[Sequence[int]]], results: Sequence[Bus]) -> set[int]:
    """Of the signals that may be bits of buses those that are met first from the results."""
    met: set[int] = set()
    _cone(netlist, {s for bus in buses for bit in bus for s in bit}, results, met)
    return met


def _completed(
    netlist: Netlist, operands: Sequence[Bus], results: Sequence[Bus], ones: Sequence[int]
) -> Iterator[list[Bus]]:
    """The operands; if results depend on something else, that in the place of bits that are 1.

    Args:
        ones: signals that are 1 for all operands that count.
    """
    missing = [(i, k) for i, bus in enumerate(operands) for k, s in enumerate(bus) if s == ONE]
    boundary = {signal for bus in operands for signal in bus}
    read, apart = _read_besides(netlist, boundary, results)
    possible = [signal for signal in ones if signal in apart]
    for count in range(min(len(missing), MOST_CONSTANT) + 1):
        for others in combinations(possible, count):
            cone = _cone(netlist, {*boundary, *others}, [read])
            if cone and cone[0] < netlist.input_count:
                continue
            for places in permutations(missing, count):
                put = dict(zip(places, others, strict=True))
                yield [
                    tuple(put.get((i, k), signal) for k, signal in enumerate(bus))
                    for i, bus in enumerate(operands)
                ]


def _read_besides(netlist: Netlist, boundary: set[int], results: Sequence[Bus]) -> tuple[Bus, set[int]]:
    """What neurons that depend on a boundary read that does not; and all that does not."""
    depends: dict[int, bool] = dict.fromkeys(boundary, True)
    read: dict[int, None] = {}
    for signal in _cone(netlist, boundary, results):
        sources = _sources(netlist, signal)
        depends[signal] = any(depends[source] for source in sources)
        if depends[signal]:
            read.update(dict.fromkeys(source for source in sources if not depends[source]))
    return tuple(read), {signal for signal, does in depends.items() if not does}


def _sources(netlist: Netlist, signal: int) -> list[int]:
    if signal < netlist.input_count:
        return []
    return [source for source, _ in netlist.neurons[signal - netlist.input_count].synapses]


def _cone(
    netlist: Netlist, boundary: set[int], results: Iterable[Bus], met: set[int] | None = None
) -> list[int]:
    """The signals between a boundary and results, in order; it may reach the circuit's inputs.

    Args:
        met: takes those of the boundary that are read.
    """
    found: set[int] = set()
    pending = [signal for bus in results for signal in bus]
    while pending:
        signal = pending.pop()
        if signal in boundary and met is not None:
            met.add(signal)
        if signal >= 0 and signal not in boundary and signal not in found:
            found.add(signal)
            pending.extend(_sources(netlist, signal))
    return sorted(found)


# --- simulation ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Simulated:
    """What lies between operands and results, on some operands.

    Attributes:
        values: of the operands, for each of those simulated.
        cone: the signals between operands and results, in order.
        signals: by signature, the signals that have it, in order.
    """

    netlist: Netlist
    operands: Sequence[Bus]
    results: Sequence[Bus]
    values: list[tuple[int, ...]]
    cone: Sequence[int]
    signals: Mapping[bytes, Sequence[int]]

    @classmethod
    def of(
        cls, netlist: Netlist, operands: Sequence[Bus], results: Sequence[Bus], alike: Alike
    ) -> _Simulated:
        """Simulate it.

        Raises:
            NetlistError: if results depend on more than operands.
        """
        free = list(dict.fromkeys(signal for bus in operands for signal in bus if signal >= 0))
        cone = _cone(netlist, set(free), results)
        if cone and cone[0] < netlist.input_count:
            raise NetlistError("the results depend on more than the operands")
        # Later copies of results are read by what comes after them.
        copies = {s for bus in results for bit in alike(bus) for s in bit}
        of_copies = (_cone(netlist, set(free), [(copy,)]) for copy in copies)
        within = (each for each in of_copies if not each or each[0] >= netlist.input_count)
        cone = sorted({*cone, *chain.from_iterable(within)})
        places = {signal: place for place, signal in enumerate((*free, *cone))}
        neurons = (netlist.neurons[signal - netlist.input_count] for signal in cone)
        between = Netlist(
            {"operands": len(free)}, tuple(_moved(each, places) for each in neurons), {"last": (0,)}
        )
        given = _drawn(operands, free)
        words = np.array([int("".join(map(str, column[::-1])), 2) for column in given.T], dtype=object)
        values = evaluate_signals(between, {"operands": words})
        signals: dict[bytes, list[int]] = defaultdict(list)
        for signal, place in places.items():
            signals[_signature(values[place])].append(signal)
        rows = {
            **dict(zip(free, given, strict=True)),
            ZERO: np.zeros(COUNT, int),
            ONE: np.ones(COUNT, int),
        }
        read = [
            [sum(int(rows[s][i]) << k for k, s in enumerate(bus)) for i in range(COUNT)]
            for bus in operands
        ]
        return cls(netlist, operands, results, list(zip(*read, strict=True)), cone, signals)

    def read(
        self,
        boundary: set[int],
        beside: set[int],
        after: Iterable[int],
        values: Sequence[Sequence[int]],
        copied: Sequence[int],
    ) -> tuple[Bus, tuple[int, ...]]:
        """A signal for each bit's values, and all in use for one that has copies.

        Several bits may have the same values, and several signals may have these: then each of those in
        use is taken for one of the bits. If there are more, all take the first on which those depend.

        Args:
            boundary: what the row reads; signals depend on nothing else. They are none of these, unless
                no other has the values.
            beside: what later rows read beside the outputs; nothing if these are results.
            after: what may be the next row's bit; no signal depends on that.

        Raises:
            NetlistError: if there is none.
        """
        later = self._depending_on(after)
        alike, copied_by = [self.having(each) for each in values], self._having(copied)
        *made, copying = (
            [s for s in each if s not in boundary and s not in later] for each in (*alike, copied_by)
        )
        possible = [
            tuple(s for s in new if self._depends_on(boundary, s))
            or tuple(s for s in every if s < 0 or s in boundary)[:1]
            for new, every in zip(made, alike, strict=True)
        ]
        met = self._met(boundary.union(copying, *made))
        in_use = (s for s in copying if s in met and not self._depends_on(beside, s))
        copies = [s for s in in_use if self._depends_on(boundary, s)]
        if not all(possible):
            raise NetlistError("no bus has its remainder")
        chosen = self._cutting(possible, boundary.union(copies), beside, met)
        return chosen, tuple(copies)

    def _met(self, cut: set[int]) -> set[int]:
        """The signals of a cut that are met first from the outputs."""
        return _met(self.netlist, [[sorted(cut)]], list(self.netlist.outputs.values()))

    def _cutting(
        self, possible: Sequence[tuple[int, ...]], boundary: set[int], beside: set[int], met: set[int]
    ) -> Bus:
        """A signal for each bit, so that all in use are among these or depend on these alone.

        The first bit's are to depend on it alone, and on what is beside: it is a result.
        """
        alike, taken = Counter(possible), Counter[tuple[int, ...]]()
        certain = set(chain(*(each for each in possible if len(each) == 1)))
        chosen: list[int] = []
        for every in possible:
            used = [s for s in every if s in met]
            if not used:  # behind another bit's, with which they are made into one
                closer = self._met({*boundary, *certain, *every})
                used = [s for s in every if s in closer] or [every[0]]
            known = {*beside, *chosen, *certain} if chosen else beside
            apart = used[taken[every] % len(used)] if len(used) <= alike[every] else every[0]
            if self._all_depend_on(known, used):
                cutting = (s for s in chosen if s in every)
            else:
                cutting = (s for s in every if self._all_depend_on({*known, s}, used))
            chosen.append(next(cutting, apart))
            taken[every] += 1
        return tuple(chosen)

    def _depending_on(self, signals: Iterable[int]) -> set[int]:
        """Signals, and all between operands and results that depend on them."""
        found = set(signals)
        for signal in self.cone:
            if not found.isdisjoint(_sources(self.netlist, signal)):
                found.add(signal)
        return found

    def _all_depend_on(self, boundary: set[int], signals: Iterable[int]) -> bool:
        return all(self._depends_on(boundary, signal) for signal in signals)

    def _depends_on(self, boundary: set[int], signal: int) -> bool:
        """Whether on nothing else, but constants."""
        seen, pending = set[int](), [signal]
        while pending:
            signal = pending.pop()
            if signal < 0 or signal in boundary or signal in seen:
                continue
            if signal < self.netlist.input_count:
                return False
            seen.add(signal)
            pending.extend(_sources(self.netlist, signal))
        return True

    def having(self, bits: Sequence[int]) -> Sequence[int]:
        """The constant that has these values, or else the signals."""
        constant = [signal for signal, bit in ((ZERO, 0), (ONE, 1)) if set(bits) == {bit}]
        return constant or self._having(bits)

    def _having(self, bits: Sequence[int]) -> Sequence[int]:
        return self.signals.get(_signature(np.array(bits, dtype=bool)), ())


def _moved(neuron: Neuron, places: Mapping[int, int]) -> Neuron:
    return replace(
        neuron, synapses=tuple((places[source], weight) for source, weight in neuron.synapses)
    )


def _signature(bits: Bits | NDArray[np.bool_]) -> bytes:
    return np.packbits(bits.astype(bool)).tobytes()


def _drawn(operands: Sequence[Bus], free: Sequence[int]) -> NDArray[np.int64]:
    """Random operands, each bit in a row; of a dividend and divisor those that have such a quotient."""
    rng = np.random.default_rng(SEED)
    given = rng.integers(0, 2, (len(free), COUNT))
    if len(operands) == 1 or len(set(free)) < sum(map(len, operands)):
        return given
    size = len(operands[1])
    for column in given.T:
        length = int(rng.integers(1, size + 1))
        column[size + length - 1] = 1
        column[size + length :] = 0
        dividend, divisor = (
            sum(int(b) << k for k, b in enumerate(part)) for part in (column[:size], column[size:])
        )
        dividend %= 2 * divisor
        column[:size] = [dividend >> k & 1 for k in range(size)]
    return given


# --- rows ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    """What the rows found have: the bit of each, and its remainder; whether that is signed.

    ``remainder`` is the last D.
    """

    bits: list[int]
    differences: list[Bus]
    remainder: Bus
    signed: bool


def _found(
    simulated: _Simulated,
    rows: Sequence[Sequence[Row]],
    widths: Sequence[int],
    given: Sequence[Sequence[int]],
) -> _Rows:
    """The buses that carry the values of rows.

    Args:
        rows: for each row its values, for each of the operands.
        widths: of each row's remainder D.
        given: what each row reads of the operands.

    Raises:
        NetlistError: saying which row is missing.
    """
    try:
        return _of_kind(simulated, rows, widths, given, signed=False)
    except NetlistError:
        return _of_kind(simulated, rows, widths, given, signed=True)


def _of_kind(
    simulated: _Simulated,
    rows: Sequence[Sequence[Row]],
    widths: Sequence[int],
    given: Sequence[Sequence[int]],
    *,
    signed: bool,
) -> _Rows:
    """The same of rows that restore, or that do not."""
    bits: list[int] = []
    differences: list[Bus] = []
    of_root = len(simulated.operands) == 1  # then a row reads all bits before it

    def read(
        number: int, values: Sequence[Sequence[int]], copied: Sequence[int], between: bool
    ) -> tuple[Bus, tuple[int, ...]]:
        before = bits if of_root else bits[-1:] if signed else []
        after = simulated.having([row.bit for row in rows[number + 1]]) if number + 1 < len(rows) else ()
        return simulated.read(
            boundary={*given[number], *before, *(differences[-1] if differences else ())},
            beside={*bits, *chain(*given[number + 1 :])} if between else set(),
            after=after,
            values=values,
            copied=copied,
        )

    restored = _places([row.remainder for row in rows[-1]], widths[-1])
    for number, (each, width) in enumerate(zip(rows, widths, strict=True)):
        last = number == len(rows) - 1
        whole = [row.remainder - (1 - row.bit) * row.step * signed for row in each]
        *places, top = _places(whole, width + 1)  # which is zero, or the sign
        bit = [row.bit for row in each]
        later = [place for place in restored if place == bit] if signed and last else []
        try:
            (chosen, *low), copies = read(
                number, [bit, *places, *later], top, between=signed or not last
            )
        except NetlistError as error:
            raise NetlistError(f"no row is seen after {number} of {len(rows)}: {error}") from None
        bits.append(chosen)
        more = (s for s in copies if (signed or not last) and s not in low)
        differences.append((*low[:width], *more))
    if not signed:
        return _Rows(bits, differences, differences[-1], signed)
    remainder, _ = read(len(rows) - 1, restored, (), between=False)
    return _Rows(bits, differences, remainder, signed)


def _places(values: Sequence[int], width: int) -> list[list[int]]:
    """For each place of numbers, in two's complement, the bits there."""
    return [[value >> place & 1 for value in values] for place in range(width)]


def _division_cells(simulated: _Simulated) -> tuple[list[Bus], tuple[Block, ...]]:
    """Quotient and remainder, and the cells that make them."""
    dividend, divisor = simulated.operands
    size = len(divisor)
    values = [list(quotient_rows(a, b, size)) for a, b in simulated.values]
    given = [(*dividend, *divisor), *((divisor,) * (size + 1))]
    found = _found(simulated, list(zip(*values, strict=True)), [size] * (size + 2), given)
    cells = []
    current, sign = (*dividend, ZERO), ONE
    kind = "signed_divide_row" if found.signed else "divide_row"
    for number, (bit, difference) in enumerate(zip(found.bits, found.differences, strict=True)):
        inputs = {
            "remainder": current,
            **({"sign": (sign,)} if found.signed else {}),
            "divisor": divisor,
        }
        cells.append(Block(f"{kind}_{number}", kind, inputs, {"bit": (bit,), "difference": difference}))
        current, sign = (ZERO, *difference), bit
    if found.signed:
        inputs = {"difference": found.differences[-1], "sign": (sign,), "divisor": divisor}
        cells.append(Block("restored", "restored_remainder", inputs, {"remainder": found.remainder}))
    return [tuple(reversed(found.bits)), found.remainder], tuple(cells)


def _root_cells(simulated: _Simulated) -> tuple[list[Bus], tuple[Block, ...]]:
    """Root and remainder, and the cells that make them."""
    (radicand,) = simulated.operands
    size = len(radicand) // 2
    values = [list(root_rows(x, size)) for (x,) in simulated.values]
    given = [radicand[low : low + 2] for low in reversed(range(0, 2 * size, 2))]
    found = _found(simulated, list(zip(*values, strict=True)), [2 + k for k in range(size)], given)
    cells = []
    current: Bus = (ZERO,)
    so_far: Bus = (ZERO,)
    sign = ONE
    kind = "signed_root_row" if found.signed else "root_row"
    for number, (bit, difference) in enumerate(zip(found.bits, found.differences, strict=True)):
        low = 2 * (size - 1 - number)
        inputs = {"remainder": current, **({"sign": (sign,)} if found.signed else {})}
        inputs |= {"root": so_far, "digits": radicand[low : low + 2]}
        cells.append(Block(f"{kind}_{number}", kind, inputs, {"bit": (bit,), "difference": difference}))
        current, so_far, sign = difference, (bit, *so_far), bit
    if found.signed:
        inputs = {"difference": current, "sign": (sign,), "root": so_far}
        cells.append(
            Block("restored", "restored_root_remainder", inputs, {"remainder": found.remainder})
        )
    return [tuple(reversed(found.bits)), found.remainder], tuple(cells)
