"""Which devices of a network are right on an image: who finds it, and who checks it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from spikeproof.prover.checking.network_spreads import MOST, check_spread
from spikeproof.prover.checking.network_yields import check_yield
from spikeproof.prover.evidence.image_records import Record
from spikeproof.prover.evidence.spreads import SpreadHeader, YieldHeader
from spikeproof.prover.margins.network_spread import Spreads
from spikeproof.prover.margins.network_yield import Yield
from spikeproof.specs.networks import Network, Spikes, run

NO_WITNESS = {"rival": None, "beyond": None, "spikes": None}


class SpreadLimits:
    """Of a network.

    Raises:
        NetworkError: on construction, if it has none.
    """

    def __init__(self, network: Network, header: SpreadHeader) -> None:
        self.network, self.spreads = network, Spreads(network)

    def find(self, bits: Spikes, label: int, seconds: float) -> dict[str, Any]:
        """What a record of an image says of it."""
        found = {"class": run(self.network, bits).decision, "spread": None, **NO_WITNESS}
        limit = self.spreads.limit(bits, label)
        if limit is None:
            return found
        if limit.spread is None or limit.spread >= MOST:
            return {**found, "spread": str(MOST)}
        assert limit.spikes is not None
        witness = {"beyond": str(limit.beyond), "spikes": np.packbits(limit.spikes).tobytes().hex()}
        return {**found, "spread": str(limit.spread), "rival": limit.rival, **witness}

    def check(self, bits: Spikes, label: int, record: Record) -> None:
        """That a record holds.

        Raises:
            ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError: if it does not.
        """
        check_spread(self.network, bits, label, record)


class YieldBounds:
    """Of a network.

    Raises:
        NetworkError: on construction, if it has none.
    """

    def __init__(self, network: Network, header: YieldHeader) -> None:
        self.network, self.deviation = network, Fraction(header.deviation)
        self.yields = Yield(network, self.deviation)

    def find(self, bits: Spikes, label: int, seconds: float) -> dict[str, Any]:
        """What a record of an image says of it."""
        bound = self.yields.bound(bits, label)
        decision = run(self.network, bits).decision
        return {"class": decision, "least": str(bound.least), "free": list(bound.free)}

    def check(self, bits: Spikes, label: int, record: Record) -> None:
        """That a record holds.

        Raises:
            ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError: if it does not.
        """
        check_yield(self.network, bits, label, self.deviation, record)
