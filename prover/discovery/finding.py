"""Annotations worth a try: what a circuit has of a decomposition's probes, and the cells between.

First for all inputs, then for those of one condition after another: where an operand is zero or not a
number many circuits have other values on the way than the spec. Whether a set of probes and cells makes
up the claim is the kernel's to say; what it refuses is left out, and what it takes is put to engines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from pysmt.shortcuts import And

from spikeproof.circuits.netlist import Block, Bus, Netlist, NetlistError
from spikeproof.prover.claims.obligation import ENGINES_ALONE, Step
from spikeproof.prover.discovery.products import product_cells
from spikeproof.prover.discovery.rows import Alike, row_cells
from spikeproof.prover.discovery.signatures import Signatures
from spikeproof.prover.kernel.annotation import SCHEMA, Annotations
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.kernel.cells import AlgebraError
from spikeproof.prover.kernel.composition import CompositionError

Probes = Mapping[str, Bus]

Finder = Callable[[Netlist, Step, Probes, Alike], tuple[Probes, tuple[Block, ...]]]
"""From a circuit, a step that algebra shows, the probes there are, and what has their signatures: cells
for the step, and probes to take instead of those. It raises ``NetlistError`` if it finds none.
"""


def _product(
    netlist: Netlist, step: Step, probes: Probes, alike: Alike
) -> tuple[Probes, tuple[Block, ...]]:
    """The adders and partial products of a multiplier."""
    (x, y), (product,) = ((probes[name] for name in names) for names in (step.given, step.names))
    return {}, product_cells(netlist, x, y, product)


FINDERS: dict[str, Finder] = {"product": _product, "quotient": row_cells, "root": row_cells}
"""For each method of ``prover.kernel.algebra.METHODS`` how its cells are found."""


def possible_annotations(case: Case, telling: Sequence[Mapping[str, int]] = ()) -> Iterator[Annotations]:
    """Annotations by which the claim is made up of lemmas, those with the most probes first.

    Args:
        case: of a circuit that was given.
        telling: inputs that are known to tell signals apart.
    """
    decomposition = case.obligation.decomposition
    if not case.netlist or not decomposition or decomposition.follows:
        return
    found: list[tuple[set[str], Annotations]] = []
    every = {name for step in decomposition.steps for name in step.names}
    for condition in (None, *decomposition.conditions):
        if each := _under(case, condition, telling):
            names = {name for step in each.reduced(decomposition).steps for name in step.names}
            if names == every:
                yield from _ways(case, each)
                return
            if not any(names <= wider for wider, _ in found):
                found.append((names, each))
    for _, each in sorted(found, key=lambda pair: -len(pair[0])):
        yield from _ways(case, each)


def beside_our_unit(netlist: Netlist) -> Annotations:
    """That a circuit is to be shown to have our unit's outputs."""
    return Annotations(SCHEMA, netlist.sha256, {}, beside=True)


def in_words(case: Case) -> str:
    """Where a case with annotations is cut, for people."""
    assert case.decomposition
    assert case.annotations
    names = (name for step in case.decomposition.steps for name in step.names)
    where = f", {case.annotations.condition}" if case.annotations.condition else ""
    what = ", with what they are" if case.annotations.defined else ""
    return f"{', '.join(names)}{what}{where}; {len(case.annotations.cells)} cells"


def _under(
    case: Case, condition: str | None, telling: Sequence[Mapping[str, int]]
) -> Annotations | None:
    """What there is for the inputs of a condition, as far as it makes up the claim; None if nothing."""
    netlist, decomposition, reading = (
        case.netlist,
        case.obligation.decomposition,
        case.obligation.reading,
    )
    assert netlist
    assert decomposition
    symbols = case.claim.inputs
    when = [decomposition.conditions[condition](symbols)] if condition else []
    formats = reading.formats if reading else {}
    about = And(*case.claim.assumptions, *when)
    signatures = Signatures.of(netlist, formats, about, telling)
    if not signatures.signals:
        return None
    probes = signatures.probes(decomposition, symbols)
    cells: tuple[Block, ...] = netlist.cells
    by_algebra = [step for step in decomposition.steps if step.method != ENGINES_ALONE]
    for step in by_algebra:
        if step.method in FINDERS and probes.keys() >= {*step.names, *step.given}:
            with suppress(NetlistError):
                instead, more = FINDERS[step.method](netlist, step, probes, signatures.alike)
                probes, cells = {**probes, **instead}, (*cells, *more)
    found = Annotations(SCHEMA, netlist.sha256, probes, cells, condition)
    while not _composes(case, found):
        if not by_algebra:
            return None
        missing = by_algebra.pop().names
        probes = {name: bus for name, bus in found.probes.items() if name not in missing}
        found = replace(found, probes=probes)
    return found


def _ways(case: Case, found: Annotations) -> Iterator[Annotations]:
    """Annotations with what values are, in case outputs do not follow without; without; and shorter.

    What values are comes first where that is not all of the spec, since something hard is before them.
    """
    defined, whole = replace(found, defined=True), case.obligation.decomposition
    assert whole
    cut = set(found.reduced(whole).last.given)
    computed = [s for s in whole.steps if s.method == ENGINES_ALONE and not cut.isdisjoint(s.names)]
    with_computed = [defined] if computed and _composes(case, defined) else []
    if any(step.given for step in computed):
        yield from (*with_computed, found)
    else:
        yield from (found, *with_computed)
    yield from _shorter(case, found)


def _shorter(case: Case, found: Annotations) -> Iterator[Annotations]:
    """The same without the last steps: outputs may not follow from their values alone."""
    whole = case.obligation.decomposition
    assert whole
    for step in reversed(found.reduced(whole).steps):
        probes = {name: bus for name, bus in found.probes.items() if name not in step.names}
        found = replace(found, probes=probes)
        if _composes(case, found):
            yield found


def _composes(case: Case, found: Annotations) -> bool:
    """Whether the outputs are cut off from something hard, and the claim is made up of the lemmas."""
    annotated, whole = replace(case, annotations=found), case.obligation.decomposition
    assert whole
    assert annotated.decomposition
    by_algebra = {name for step in whole.steps if step.method != ENGINES_ALONE for name in step.names}
    if by_algebra.union(whole.last.given).isdisjoint(annotated.decomposition.last.given):
        return False
    try:
        return bool(annotated.lemmas())
    except (AlgebraError, CompositionError, NetlistError):
        return False
