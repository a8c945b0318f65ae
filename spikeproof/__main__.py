"""``python -m spikeproof`` is the command ``spikeproof``."""

from spikeproof.prover.commands.cli import main

main()
