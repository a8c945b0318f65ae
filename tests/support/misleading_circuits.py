"""Wrong circuits that were once proved: found in review, kept so that they never are again."""

from spikeproof.circuits.netlist import ZERO, Block, Netlist, Neuron
from spikeproof.prover.claims.catalogue import catalogue


def divider_of_rows_that_restrict_each_other(theorem: str) -> Netlist:
    """A divider of two quotient bits, whose other rows have bits of the divisor for a remainder.

    Such a row's invariant says that some of the divisor's bits are 0. Assumed for all rows, which share
    their symbols, the invariants left divisors of 1 alone.
    """
    unit = catalogue()[theorem].circuit()
    dividend, divisor = unit.probes["dividend"], unit.probes["divisor"]
    size, base = len(divisor), max(*unit.probes["dividend"], *divisor) + 1
    new: list[Neuron] = []

    def neuron(synapses: list[tuple[int, int]], threshold: int) -> int:
        merged: dict[int, int] = {}
        for signal, weight in synapses:
            if signal != ZERO:
                merged[signal] = merged.get(signal, 0) + weight
        new.append(Neuron(tuple(sorted(merged.items())), threshold, 0))
        return base + len(new) - 1

    always, never = neuron([], 0), neuron([], 1)
    divisor = tuple(signal if signal >= unit.input_count else always for signal in divisor)
    cells: list[Block] = []
    bits: list[int] = []

    def honest(remainder: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        value = [(signal, 1 << i) for i, signal in enumerate(remainder)]
        bit = neuron([*value, *((signal, -(1 << i)) for i, signal in enumerate(divisor))], 0)
        value += [(neuron([(bit, 1), (s, 1)], 2), -(1 << i)) for i, s in enumerate(divisor)]
        difference: list[int] = []
        for i in reversed(range(size)):
            place = neuron(value, 1 << i)
            value.append((place, -(1 << i)))
            difference.insert(0, place)
        return bit, tuple(difference)

    def row(remainder: tuple[int, ...], bit: int, difference: tuple[int, ...]) -> tuple[int, ...]:
        given = {"divisor": divisor, "remainder": remainder}
        found = {"bit": (bit,), "difference": difference}
        cells.append(Block(f"divide_row_{len(cells)}", "divide_row", given, found))
        bits.append(bit)
        return (ZERO, *difference)

    remainder = row((*dividend, ZERO), *honest((*dividend, ZERO)))
    remainder = row(remainder, honest(remainder)[0], (divisor[1],) * size)
    pins = [(divisor[place],) * size for place in range(2, size)]
    pins.append((divisor[1],) * (size - 1) + (divisor[2],))
    while len(bits) < size + 1:
        remainder = row(remainder, never, pins.pop(0) if pins else (never,) * size)
    row(remainder, never, (never,) * size)
    return _instead(
        unit,
        base,
        new,
        {"quotient": tuple(reversed(bits)), "remainder": (never,) * size},
        cells,
        {"dividend": dividend, "divisor": divisor},
    )


def _instead(unit, base, new, results, cells, kept) -> Netlist:
    """A unit with other neurons in the place of those that made some probes, and other cells."""
    old = [signal for name in results for signal in unit.probes[name]]
    put = dict(zip(old, (signal for bus in results.values() for signal in bus), strict=True))

    def moved(signal: int) -> int:
        return put[signal] if signal in put else signal + len(new) if signal >= base else signal

    place = base - unit.input_count
    later = []
    for each in unit.neurons[place:]:
        merged: dict[int, int] = {}
        for signal, weight in each.synapses:
            merged[moved(signal)] = merged.get(moved(signal), 0) + weight
        synapses = tuple((signal, weight) for signal, weight in merged.items() if weight)
        later.append(Neuron(synapses, each.threshold, each.bias))
    buses = {name: tuple(map(moved, bus)) for name, bus in unit.probes.items()}
    outputs = {name: tuple(map(moved, bus)) for name, bus in unit.outputs.items()}
    neurons = (*unit.neurons[:place], *new, *later)
    return Netlist(unit.inputs, neurons, outputs, {**buses, **kept, **results}, (), tuple(cells))


def multiplier_of_adders_of_one_name(theorem: str) -> Netlist:
    """A multiplier with one bit of its product inverted, by an adder named like one that adds."""
    unit = catalogue()[theorem].circuit()
    inverted = unit.probes["product"][0]
    base = max(unit.probes["product"]) + 1
    good, wrong = base, base + 1
    new = (Neuron(((inverted, 1),), 1, 0), Neuron(((good, -1),), 0, 0))
    place = base - unit.input_count

    def moved(signal: int) -> int:
        return wrong if signal == inverted else signal + 2 if signal >= base else signal

    def cell(given: int, total: int) -> Block:
        buses = {"x": (given,), "y": (ZERO,), "carry_in": (ZERO,)}
        return Block("adder_x", "adder", buses, {"sum": (total,), "carry": (ZERO,)})

    later = tuple(
        Neuron(tuple((moved(s), w) for s, w in each.synapses), each.threshold, each.bias)
        for each in unit.neurons[place:]
    )
    significands = ("x_significand", "y_significand")
    probes = {
        name: bus if name in significands else tuple(map(moved, bus))
        for name, bus in unit.probes.items()
    }
    outputs = {name: tuple(map(moved, bus)) for name, bus in unit.outputs.items()}
    cells = (*unit.cells, cell(inverted, good), cell(good, wrong))
    return Netlist(unit.inputs, (*unit.neurons[:place], *new, *later), outputs, probes, (), cells)
