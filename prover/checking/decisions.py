"""Whether a decision by counts can still change: what any continuation can do, and what one did.

A neuron fires once a step at most. So where r steps are left, and one output has fired more often than
another by more than r, or by r and comes before it, the other cannot be decided for instead, whatever
the network is still given. A latch that has closed stays (``proofs.latches``); one that has not closed
by then cannot close for the other either, which would have to lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import (
    USUAL_ORDER,
    Network,
    NetworkError,
    Readout,
    Score,
    leading,
    run,
)


def final_after(readout: Readout, scores: Sequence[Sequence[Any]]) -> int:
    """After how many steps, at the earliest, no continuation can change the class, as far as this shows.

    Args:
        scores: counts of each class after each step.

    Raises:
        NetworkError: if classes do not come from counts.
    """
    if readout.score is not Score.COUNT:
        raise NetworkError(
            "it decides by potentials, which any step can change; read it out by count or latch"
        )
    steps = len(scores)
    for done, counts in enumerate(scores, 1):
        best = leading(counts)
        behind = [(counts[best] - count, place) for place, count in enumerate(counts) if place != best]
        if readout.lead is not None and all(by >= readout.lead for by, _ in behind):
            return done
        left = steps - done
        if all(by > left or (by == left and best < at) for by, at in behind):
            return done
    return steps


def require_change(network: Network, given: NDArray[Any], other: NDArray[Any], steps: int) -> None:
    """That an input that is the same for so many steps changes what is decided about another.

    With a latch that has not closed by then, or without one, that is to be decided is what has the
    largest score after these steps.

    Raises:
        NetworkError: if it is not the same for so long, or does not change it.
    """
    if not np.array_equal(given[:steps], other[:steps]):
        raise NetworkError(f"a continuation must be the same for {steps} steps")
    before, after = run(network, given), run(network, other)
    if before.decided_after is not None and before.decided_after < steps:
        raise NetworkError(f"it is decided after {before.decided_after + 1} steps")
    if after.decision == leading(before.scores[steps - 1]):
        raise NetworkError("the class is the same")


def forgets_order(network: Network) -> bool:
    """Whether no order of an input's steps is told from another: surely if this is true.

    What a layer without memory does in a step depends on its inputs of that step alone. So what it does
    is put in another order as they are, layer after layer, and counts at the end are the same.
    """
    return network.readout == Readout(Score.COUNT) and all(
        layer.recurrent is None and layer.dynamics.leak == 0 and layer.dynamics.order == USUAL_ORDER
        for layer in network.layers
    )
