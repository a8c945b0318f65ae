"""``python -m spikeproof`` is the command ``spikeproof``."""

from spikeproof.prover.commands.cli import main

if __name__ == "__main__":  # where processes are spawned, each imports this file
    main()
