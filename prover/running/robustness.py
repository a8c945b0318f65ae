"""How many bits of an image must change: who finds it, and who checks it."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.checking.changed_spikes import Enumeration, Shifts
from spikeproof.prover.checking.robustness import CertificateError, Checker
from spikeproof.prover.checking.scenarios import Scenarios, summed, tabled
from spikeproof.prover.discovery.changed_spikes import SpikeSearcher
from spikeproof.prover.discovery.robustness import Searcher
from spikeproof.prover.evidence.distances import FLIPS, SHIFTS, Header
from spikeproof.prover.evidence.image_records import Record
from spikeproof.specs.networks import Network, NetworkError


class Distances:
    """Of a network: who finds them, and who checks them; by trees, or, over time, by tables of what each
    neuron makes of changes, or else by trying all.

    Raises:
        NetworkError: on construction, if it sees one step, and does not add and then fire; or if so much
            cannot change.
    """

    def __init__(self, network: Network, header: Header) -> None:
        flips, changes, bits = header.flips, header.changes, network.steps * network.inputs
        if changes == SHIFTS and network.steps == 1:
            raise NetworkError("a spike of one step cannot move")
        if changes == FLIPS and flips > bits:
            raise NetworkError(f"an image has {bits:,} bits, of which --flips {flips:,} cannot change")
        self.flips = flips
        self.enumeration = Shifts(network, flips) if changes == SHIFTS else Enumeration(network, flips)
        self.checker: Checker | Scenarios | Enumeration = self.enumeration
        self.searcher: Searcher | SpikeSearcher | None = None
        self.nearest = self.enumeration.nearest
        self.searched = 0
        """So many bits the searcher decides about; trying all about more."""
        if changes == SHIFTS:
            return
        if network.steps == 1:
            self.searched = self.flips
            self.searcher, self.checker = Searcher(network, flips), Checker(network, flips)
        elif found := tabled(network, self.flips):
            self.searched = found if summed(network) else 1
            self.searcher = SpikeSearcher(network, self.searched)
            self.checker = scenarios = Scenarios(network, flips)
            self.nearest = scenarios.nearest

    def find(self, bits: NDArray[np.bool_], label: int, seconds: float) -> dict[str, Any]:
        """What a record of an image says of it, if so many seconds are enough."""
        until = time.monotonic() + seconds
        record, searched = self._searched(bits, seconds), self.searched
        if record is None:
            decision = int(self.enumeration.decisions(bits, np.zeros((1, 0), np.int64))[0])
            record, searched = {"class": decision, "radius": 0, "witness": None, "tree": []}, 0
        try:
            while searched <= record["radius"] < self.flips and record["witness"] is None:
                record["witness"] = self.nearest(bits, record["class"], record["radius"] + 1, until)
                record["radius"] += record["witness"] is None
        except TimeoutError:
            pass
        return record

    def _searched(self, bits: NDArray[np.bool_], seconds: float) -> dict[str, Any] | None:
        """What the searcher says, if there is; over time, where it rounds, if the checker agrees, which
        is never cut short."""
        if self.searcher is None:
            return None
        found = asdict(self.searcher.distance(bits, seconds))
        record = {"class": found.pop("decision"), **found}
        if isinstance(self.searcher, SpikeSearcher):
            try:
                self.checker.check(bits, record)
            except CertificateError:
                return None
        return record

    def check(self, bits: NDArray[np.bool_], label: int, record: Record) -> None:
        """That a record holds.

        Raises:
            ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError: if it does not.
        """
        self.checker.check(bits, record)
