"""The command ``spikeproof`` as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from unittest.mock import patch

import pytest

from spikeproof.prover.commands import cli


def spikeproof(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from spikeproof.prover.commands.cli import main; main()",
            *map(str, arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def spikeproof_here(
    capsys: pytest.CaptureFixture[str], *arguments: object
) -> subprocess.CompletedProcess[str]:
    """Run the command in this process: for what is refused before a process of its own would start."""
    command = ["spikeproof", *map(str, arguments)]
    capsys.readouterr()
    with patch.object(sys, "argv", command), pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return subprocess.CompletedProcess(command, int(ended.value.code or 0), printed.out, printed.err)
