"""Circuits decided by functions of users: proved where every input can be listed, else tested."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.apart import ForeignCodeError, HangingCodeError, Limits, ask_apart
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.given import FAMILY, GivenClaim, Table, named_format
from spikeproof.prover.claims.tables import TABLE_BITS
from spikeproof.prover.evidence.record import SEED
from spikeproof.prover.refutation.drawing import every_input, every_input_or_some, inputs_by_class
from spikeproof.prover.refutation.minimisation import place_of_simplest
from spikeproof.prover.running.specifications import Specification, answered, asked
from spikeproof.specs import exact
from spikeproof.specs.formats import AnyFormat, Format

TRIED_BITS = 20
"""Of up to so many input bits a function is asked about every input, if there is time."""

ANSWERING = 0.8
"""Of the seconds that it has, what it may take to answer; the rest is for its process."""

TRIED = 1 << 16
"""About how many it is asked where there are more."""

Cases = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class SpecFunction:
    """A declared function, here or in a process of its own.

    Attributes:
        title: its name, for people.
        ask: a question, and the seconds that it may take.
    """

    title: str
    kind: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    formats: Mapping[str, str]
    ask: Callable[[dict[str, Any], float], Any]

    @classmethod
    def apart(cls, source: str, limits: Limits) -> SpecFunction:
        """The function ``package.module:name``, asked in a process of its own each time.

        Raises:
            ForeignCodeError: if there is none, or it is not declared; one line.
        """
        worker = f"{answered.__module__}:{answered.__name__}"

        def ask(question: dict[str, Any], seconds: float) -> Any:
            request = {**question, "function": source}
            return ask_apart(worker, request, source, replace(limits, seconds=seconds))

        return cls._of(source, ask, limits.seconds)

    @classmethod
    def here(cls, spec: Specification) -> SpecFunction:
        """A function of whoever calls us from his own program."""
        title = getattr(spec.function, "__name__", "the function").strip("<>")
        return cls._of(title, lambda question, seconds: asked(spec, question), 0)

    @classmethod
    def _of(
        cls, title: str, ask: Callable[[dict[str, Any], float], Any], seconds: float
    ) -> SpecFunction:
        said = ask({"question": "declaration"}, seconds)
        inputs, outputs = map(dict, said["widths"])
        return cls(title, said["kind"], inputs, outputs, said["formats"], ask)

    @property
    def bits(self) -> int:
        """Of all inputs together."""
        return sum(self.inputs.values())

    @property
    def provable(self) -> bool:
        """Whether it can be made a claim that engines decide."""
        return self.kind == "formula" or self.bits <= TABLE_BITS

    def claim(self, circuit: Netlist, seconds: float) -> GivenClaim:
        """The whole of what it says, which must be ``provable``.

        Args:
            circuit: with its buses.

        Raises:
            ForeignCodeError: if it fails.
        """
        if self.kind == "formula":
            text = self.ask({"question": "formula", "circuit": circuit.serialise()}, seconds)
            return GivenClaim(self.title, self.inputs, self.outputs, formula=text)
        results = self._results(every_input(self.inputs), seconds)
        if (said := len(next(iter(results.values())))) < 1 << self.bits:
            raise ForeignCodeError(
                f"{self.title} was asked about {said:,} of {1 << self.bits:,} inputs when the time was "
                "over; allow more"
            )
        return self._listed(None, results)

    def _listed(self, points: Cases | None, results: Cases) -> GivenClaim:
        def columns(cases: Cases) -> dict[str, tuple[int, ...]]:
            return {name: tuple(map(int, codes)) for name, codes in cases.items()}

        return GivenClaim(
            self.title,
            self.inputs,
            self.outputs,
            table=Table(columns(points) if points else None, columns(results)),
            formats=self.formats,
            alike=self.kind == "values",
        )

    def _results(self, cases: Cases, seconds: float) -> Cases:
        """What it says of inputs, or of the first of them if there is no more time."""
        points = {name: list(map(int, codes)) for name, codes in cases.items()}
        question = {"question": "results", "points": points, "seconds": ANSWERING * seconds}
        columns = self.ask(question, seconds)
        try:
            found = {
                n: np.array(c, dtype=boolean.word_type(w))
                for (n, w), c in zip(self.outputs.items(), columns, strict=True)
            }
            rows = {len(codes) for codes in found.values()}
            fits = (
                len(rows) == 1
                and max(rows) > 0
                and all(int(found[n].max()) >> w == 0 for n, w in self.outputs.items())
            )
        except (OverflowError, TypeError, ValueError):
            fits = False
        if not fits:
            raise ForeignCodeError(f"{self.title}: its process gave other results than it was asked for")
        return found

    def tested(self, circuit: Netlist, seconds: float) -> Tested:
        """A circuit compared with it on every input, or on some drawn by class.

        Raises:
            ForeignCodeError: if it fails.
        """
        started = time.monotonic()
        formats: dict[str, AnyFormat] = {n: named_format(fmt) for n, fmt in self.formats.items()}
        first, _ = every_input_or_some(self.inputs, formats)
        tested = self._compared(circuit, first, formats, seconds)
        left = seconds - (time.monotonic() - started)
        if tested.refuting or left < seconds / 2:
            return tested
        every = self.bits <= TRIED_BITS
        more = (
            every_input(self.inputs) if every else inputs_by_class(self.inputs, formats, TRIED, SEED + 1)
        )
        try:
            further = self._compared(circuit, more, formats, left)
        except HangingCodeError:
            return tested
        whole = further.tried == 1 << self.bits
        return replace(further, tried=further.tried + (0 if whole else tested.tried), every=whole)

    def _compared(
        self, circuit: Netlist, cases: Cases, formats: Mapping[str, AnyFormat], seconds: float
    ) -> Tested:
        wanted = self._results(cases, seconds)
        tried = len(next(iter(wanted.values())))
        cases = {name: np.asarray(codes)[:tried] for name, codes in cases.items()}
        given = boolean.evaluate(circuit, cases)
        wrong = np.zeros(tried, dtype=bool)
        for name in self.outputs:
            sides = (self._alike(each[name], formats.get(name)) for each in (given, wanted))
            wrong |= np.not_equal(*sides).astype(bool)
        if not wrong.any():
            return Tested(tried)
        failing = {name: codes[wrong] for name, codes in cases.items()}
        place = place_of_simplest(failing, self.inputs, formats)
        return Tested(
            tried,
            failures=int(wrong.sum()),
            refuting=self._listed(
                {name: codes[place : place + 1] for name, codes in failing.items()},
                {name: wanted[name][wrong][place : place + 1] for name in self.outputs},
            ),
        )

    def _alike(self, codes: NDArray[Any], fmt: AnyFormat | None) -> NDArray[Any]:
        """Codes, with one for all zeros and one for all NaNs where these count as one."""
        if self.kind != "values" or not isinstance(fmt, Format):
            return codes
        known: dict[int, int] = {}
        for code in set(map(int, codes)):
            value = exact.decode(fmt, code)
            known[code] = (
                exact.deliver_nan(fmt) if value.kind is exact.Kind.NAN else 0 if value.is_zero else code
            )
        return np.array([known[int(code)] for code in codes], dtype=codes.dtype)

    @property
    def name(self) -> str:
        """What is undecided about it is called, where theorems have names."""
        return f"{FAMILY}.{'_'.join(self.title.replace(':', '.').split())}"


@dataclass(frozen=True)
class Tested:
    """What came of comparing a circuit with a function.

    Attributes:
        tried: how many inputs.
        failures: how many of them fail.
        refuting: the claim about the simplest of these, if any.
        every: whether they were all there are.
    """

    tried: int
    failures: int = 0
    refuting: GivenClaim | None = None
    every: bool = False
