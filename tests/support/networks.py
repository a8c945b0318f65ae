"""Small networks, and what the definition of record says of all inputs near one."""

from itertools import combinations, pairwise

import numpy as np

from spikeproof.specs.networks import (
    MEMORYLESS,
    USUAL_ORDER,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    Readout,
    Score,
    run,
)

STRICT = Dynamics(MEMORYLESS.leak, AfterSpike.NOTHING, USUAL_ORDER, strict=True)
POTENTIALS, COUNTS = Readout(Score.POTENTIAL), Readout(Score.COUNT)


def integers(values):
    return np.array(values, np.int64)


def layer(weights, thresholds=None, bias=None, dynamics=MEMORYLESS):
    weights = integers(weights)
    bias = np.zeros(len(weights), np.int64) if bias is None else integers(bias)
    return Layer(weights, bias, None if thresholds is None else integers(thresholds), dynamics)


def drawn_network(random, sizes, largest=1, readout=POTENTIALS, scale=1):
    """With weights up to ``largest`` in magnitude, all numbers times ``scale``."""
    layers = []
    for inputs, neurons in pairwise(sizes):
        silent = readout is POTENTIALS and len(layers) == len(sizes) - 2
        layers.append(
            layer(
                scale * random.integers(-largest, largest + 1, (neurons, inputs)),
                None if silent else scale * random.integers(-largest, 2 * largest + 1, neurons),
                scale * random.integers(-largest, largest + 1, neurons),
                STRICT if random.random() < 0.3 and not silent else MEMORYLESS,
            )
        )
    return Network(tuple(layers), 1, readout)


def changed(image, bits):
    image = np.array(image, bool).ravel()
    image[list(bits)] ^= True
    return image


def decided(network, image):
    return run(network, np.asarray(image, int).reshape(1, -1)).decision


def nearest(network, image, most):
    """A smallest set of bits, of at most so many, that changes the class; ``None`` if none does."""
    own = decided(network, image)
    for size in range(1, most + 1):
        for bits in combinations(range(network.inputs), size):
            if decided(network, changed(image, bits)) != own:
                return bits
    return None
