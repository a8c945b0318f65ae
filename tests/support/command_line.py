"""The command ``spikeproof`` as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys


def spikeproof(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from prover.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
