"""Numbers that were found from the top, a digit by each neuron: of any sum, and quotients and roots.

A target T and a value v(D) of numbers D are polynomials in bits. Digits d_k of a number D of n bits are
*searched* if each is one neuron that asks whether it would not be too much:

    d_k  =  [T >= v(D_k)],    D_k being 2^k and 2^j d_j for all j > k

Then v(D) <= T < v(D + 1), if it is so to begin with: if v(0) <= T < v(2^n). For if E is what the digits
from k on have found, v(E) <= T < v(E + 2^k): where d_k is 1, the neuron has said the one, where it is 0,
the other, and the rest is what was so with k + 1.

A neuron reads bits and ANDs of two of them; as a polynomial that is a sum of such monomials, b b = b.

    sum       T = sum of weight * bit    v(D) = D
    quotient  T = A 2^(n+1)              v(Q) = Q B      so Q B <= A 2^(n+1) < (Q + 1) B
    root      T = X                      v(Q) = Q^2      so Q^2 <= X < (Q + 1)^2

Of the first, a cell ``digits``, it is seen from the range of the sum that the search can begin; its
inputs and outputs are named by weights, as those of a cell ``linear``. Of a quotient that is the claim
A < 2 B, of a root it needs no proof. Remainders are the digits of the sums A 2^(n+1) - Q B, which then
are less than B, and X - Q^2, which are at most 2 Q.

A structural check, no search: of each neuron that its sum is T - v(D_k).

The argument is proved in Coq: ``proofs/mechanised/searching.v``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from itertools import chain, product

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist, Weight
from spikeproof.prover.kernel.cells import AlgebraError

Monomial = frozenset[int]
"""The signals that are multiplied."""

CONSTANT: Monomial = frozenset()
"""That of none."""

Polynomial = Mapping[Monomial, Weight]
"""By monomial its coefficient."""


def added(terms: Iterable[tuple[Monomial, Weight]]) -> Polynomial:
    """The sum of monomials times coefficients, of which some may be 0 then."""
    found: dict[Monomial, Weight] = defaultdict(int)
    for monomial, coefficient in terms:
        found[monomial] += coefficient
    return found


def polynomial(terms: Iterable[tuple[int, Weight]]) -> Polynomial:
    """The sum of signals times weights."""
    return added((frozenset({signal} - {ONE}), weight) for signal, weight in terms if signal != ZERO)


def number(bus: Bus) -> Polynomial:
    """What a bus holds."""
    return polynomial((signal, 1 << place) for place, signal in enumerate(bus))


def times(x: Polynomial, y: Polynomial) -> Polynomial:
    """The product of two polynomials in bits."""
    return added((a | b, weight * factor) for (a, weight), (b, factor) in product(x.items(), y.items()))


def minus(x: Polynomial, y: Polynomial) -> Polynomial:
    """The difference, of which coefficients may be 0."""
    return added(chain(x.items(), ((monomial, -weight) for monomial, weight in y.items())))


def require_search(
    netlist: Netlist,
    digits: Bus,
    target: Polynomial,
    value: Callable[[Polynomial], Polynomial],
    known: Container[int],
) -> None:
    """Refuse digits, least significant first, that are not searched.

    Args:
        known: signals that are read as they are; others are read as ANDs of two.

    Raises:
        AlgebraError: if a digit is no such neuron.
    """
    for k, signal in enumerate(digits):
        if signal < netlist.input_count:
            raise AlgebraError(f"digit {k} of a search is no neuron")
        neuron = netlist.neurons[signal - netlist.input_count]
        # What it adds up, less what it is to compare with 0, must be a constant.
        read = added((_monomial(netlist, source, known), weight) for source, weight in neuron.synapses)
        trial = value(number((*(ZERO,) * k, ONE, *digits[k + 1 :])))
        excess = dict(minus(read, minus(target, trial)))
        least = neuron.threshold - neuron.bias - excess.pop(CONSTANT, 0)
        if any(excess.values()) or not -1 < least <= 0:
            raise AlgebraError(f"digit {k} of a search, signal {signal}, is another neuron")


def _monomial(netlist: Netlist, signal: int, known: Container[int]) -> Monomial:
    if signal in known:
        return frozenset((signal,))
    if signal >= netlist.input_count:
        neuron = netlist.neurons[signal - netlist.input_count]
        sources, weights = zip(*neuron.synapses, strict=True)
        if weights == (1, 1) and 1 < neuron.threshold - neuron.bias <= 2:
            return frozenset(sources)
    raise AlgebraError(f"signal {signal} of a search is neither a bit nor an AND of two")


def require_quotient(
    netlist: Netlist, dividend: Bus, divisor: Bus, quotient: Bus, remainder: Bus
) -> None:
    """Refuse digits of A 2^(n+1) / B that are not searched: n + 2 bits, and n of what remains.

    Raises:
        AlgebraError: saying which.
    """
    a, b = number((*(ZERO,) * (len(divisor) + 1), *dividend)), number(divisor)
    known = {*dividend, *divisor, *quotient, *remainder}
    require_search(netlist, quotient, a, lambda q: times(q, b), known)
    require_search(netlist, remainder, minus(a, times(number(quotient), b)), lambda d: d, known)


def require_root(netlist: Netlist, radicand: Bus, root: Bus, remainder: Bus) -> None:
    """Refuse digits of a root that are not searched: of 2n bits n, and n + 1 of what remains.

    Raises:
        AlgebraError: saying which.
    """
    if len(remainder) <= len(root):
        raise AlgebraError("the remainder of a root has a bit more than the root")
    x, known = number(radicand), {*radicand, *root, *remainder}
    require_search(netlist, root, x, lambda q: times(q, q), known)
    left = minus(x, times(number(root), number(root)))
    require_search(netlist, remainder, left, lambda d: d, known)
