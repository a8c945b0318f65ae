"""Limits of spread of networks, examined again: sums of intervals, and witnesses that are run.

Nothing here is found: it is asked whether a class is right for all deviations smaller than a spread, by
adding up what each neuron can do at worst, and whether a device is wrong.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.checking.robustness import CertificateError
from spikeproof.specs.networks import Network, run
from spikeproof.specs.spreads import midway, pushed, require_two_layers

MOST = Fraction(1)
"""No larger spread is told of: numbers that are off by more could be anything."""

NEAR = Fraction(1001, 1000)
"""Times a limit: no farther beyond it, or a thousandth if it is 0, must the device be that is wrong."""


def check_spread(network: Network, given: NDArray[Any], label: int, record: Any) -> None:
    """That a record of an image holds: its class, and within which spread it is the label.

    Raises:
        CertificateError: if it does not.
        ValueError, TypeError, KeyError: if it is none.
    """
    given = np.asarray(given).reshape(-1)
    decision = run(network, given.reshape(1, -1)).decision
    if decision != record["class"]:
        raise CertificateError(f"its class is {decision}")
    if record["spread"] is None:
        if decision == label:
            raise CertificateError("its class is right, and it has no spread")
        return
    spread = Fraction(record["spread"])
    if decision != label or not right_within(network, given, label, spread):
        raise CertificateError(f"some device whose deviations are below {spread} is wrong")
    if spread >= MOST:
        return
    beyond = Fraction(record["beyond"])
    if not spread < beyond <= max(spread * NEAR, NEAR - 1):
        raise CertificateError(f"no device is shown just beyond {spread}")
    octets = np.frombuffer(bytes.fromhex(record["spikes"]), np.uint8)
    spikes = np.unpackbits(octets, count=network.layers[0].neurons)
    if not wrong_device(network, given, label, record["rival"], beyond, spikes):
        raise CertificateError(f"the device of deviations {beyond} is not wrong")


def right_within(network: Network, given: NDArray[Any], label: int, spread: Fraction) -> bool:
    """Whether a class is decided by every device whose deviations are all smaller than a spread.

    Such deviations move a sum by less than the spread times the magnitudes in it, and by anything less.
    Hidden neurons have no number in common, so that all that may go either way do so independently.
    """
    hidden, outputs = require_two_layers(network)
    bits = np.asarray(given).reshape(-1).astype(np.int64)
    middle = midway(hidden)
    sums = (2 * (hidden.weights @ bits + hidden.bias) - middle).tolist()
    sizes = (2 * (np.abs(hidden.weights) @ bits + np.abs(hidden.bias)) + np.abs(middle)).tolist()
    off, whole = spread.numerator, spread.denominator
    surely, either = [], []
    for neuron, (total, size) in enumerate(zip(sums, sizes, strict=True)):
        if total * whole >= off * size:
            surely.append(neuron)
        elif total * whole > -off * size:
            either.append(neuron)
    own: list[int] = outputs.weights[label].tolist()
    own_bias = int(outputs.bias[label])
    for rival in range(outputs.neurons):
        if rival == label:
            continue
        other, other_bias = outputs.weights[rival].tolist(), int(outputs.bias[rival])

        def lead(ours: int, theirs: int) -> int:
            """What is added to the lead of the class at worst, or nearly, times ``whole``."""
            return (ours - theirs) * whole - off * (abs(ours) + abs(theirs))

        worst = lead(own_bias, other_bias)
        worst += sum(lead(own[neuron], other[neuron]) for neuron in surely)
        worst += sum(min(0, lead(own[neuron], other[neuron])) for neuron in either)
        # A worst case that is 0 is not reached if it takes any deviation; else it is a tie.
        moves = own_bias or other_bias or any(own[neuron] or other[neuron] for neuron in surely)
        if worst < 0 or (worst == 0 and rival < label and not moves):
            return False
    return True


def wrong_device(
    network: Network,
    given: NDArray[Any],
    label: int,
    rival: int,
    spread: Fraction,
    spikes: NDArray[Any],
) -> bool:
    """Whether the device that a certificate names, which is off by no more than a spread, is wrong."""
    device = pushed(network, spikes, label, rival, spread)
    return run(device, np.asarray(given).reshape(1, -1)).decision != label
