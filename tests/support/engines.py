"""The engines that this machine has."""

from importlib.util import find_spec

from spikeproof.prover.engines.engine import MODULES

INSTALLED = [name for name in MODULES if name != "bitwuzla" or find_spec("bitwuzla")]
"""Their names."""
