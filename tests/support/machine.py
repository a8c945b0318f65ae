"""The machine's own numbers as codes of our formats."""

import numpy as np

from spikeproof.specs.formats import FP32


def fp32_codes(values):
    """Doubles rounded once to nearest even, with the canonical NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        codes = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    return np.where(np.isnan(values), np.uint64(FP32.canonical_nan), codes)
