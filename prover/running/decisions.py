"""When a network's decisions are final: the moment that is proved, and a continuation just before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spikeproof.circuits.networks.exact import run_all
from spikeproof.prover.checking.decisions import final_after, require_change
from spikeproof.prover.discovery.continuations import Search
from spikeproof.specs.networks import Network, NetworkError, Spikes

TRIES = 8
"""So many moments before the one that is proved are tried, one after another."""


@dataclass(frozen=True, eq=False)
class Moment:
    """When the decision about an input is final.

    Attributes:
        decision: the class.
        final: after so many steps no continuation changes it: proved.
        open: after so many steps some continuation does; 0 where none was found.
        continuation: which one, whole, with the steps before it; ``None`` where none was found.
    """

    decision: int
    final: int
    open: int
    continuation: Spikes | None


def moments(network: Network, inputs: Spikes, pool: Spikes) -> Iterator[Moment]:
    """The moments of each input, one after another.

    Args:
        pool: inputs that were seen, of the same shape, whose steps continuations are made of.

    Raises:
        NetworkError: if the network does not decide by counts, or is not given such inputs.
    """
    outcomes = run_all(network, inputs)
    if pool.shape[1:] != inputs.shape[1:] or not len(pool):
        raise NetworkError(
            f"continuations are made of inputs of shape (any, {network.steps}, {network.inputs}), not "
            f"{pool.shape}"
        )
    search = Search(network, pool)
    for place, given in enumerate(inputs):
        decision = int(outcomes.decisions[place])
        final = final_after(network.readout, outcomes.scores[place].tolist())
        for steps in range(final - 1, max(0, final - 1 - TRIES), -1):
            found = search.after(given[:steps], outcomes.scores[place, steps - 1])
            if found is not None:
                require_change(network, given, found, steps)
                yield Moment(decision, final, steps, found)
                break
        else:
            yield Moment(decision, final, 0, None)
