"""The command ``spikeproof`` as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from unittest.mock import patch

import pytest
from pysmt.environment import pop_env, push_env

from spikeproof.prover.commands import cli
from spikeproof.prover.running import discharge

AS_THEY_ARE = {name: getattr(discharge, name) for name in ("_at_once", "minimised")}
"""What tests about verdicts replace, and commands are to do as ever."""


@contextmanager
def as_users_have_it() -> Iterator[None]:
    """As in a process of its own: with formulas of its own, and nothing replaced for a test."""
    push_env()
    try:
        with patch.multiple(discharge, **AS_THEY_ARE):
            yield
    finally:
        pop_env()


def spikeproof(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which has imported already what each would import anew."""
    command = ["spikeproof", *map(str, arguments)]
    out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        as_users_have_it(),
        patch.object(sys, "argv", command),
        patch.dict(os.environ, environment),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        cli.main()
    printed = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(command, int(ended.value.code or 0), *printed)


def spikeproof_apart(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
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
    """Run the command in this process, as it is: with all that the test has replaced."""
    command = ["spikeproof", *map(str, arguments)]
    capsys.readouterr()
    with patch.object(sys, "argv", command), pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return subprocess.CompletedProcess(command, int(ended.value.code or 0), printed.out, printed.err)
