"""Small networks of one step, drawn at random."""

import numpy as np

from spikeproof.specs.networks import MEMORYLESS, Layer, Network, Readout, Score


def drawn(seed: int, inputs: int, hidden: int, classes: int, most: int = 1) -> Network:
    random = np.random.default_rng(seed)
    first = Layer(
        random.integers(-most, most + 1, (hidden, inputs)),
        random.integers(-1, 2, hidden) * (seed % 3 == 0),
        random.integers(-1, 3, hidden),
        MEMORYLESS,
    )
    second = Layer(
        random.integers(-most, most + 1, (classes, hidden)),
        random.integers(-1, 2, classes) * (seed % 3 == 0),
        None,
        MEMORYLESS,
    )
    return Network((first, second), 1, Readout(Score.POTENTIAL))
