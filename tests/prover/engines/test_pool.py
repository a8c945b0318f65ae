"""Work in several processes."""

import subprocess
import sys

UNGUARDED = """
import multiprocessing
multiprocessing.set_start_method("spawn")
from spikeproof.prover.engines.pool import results
print(sorted(results(abs, {"one": (-1,), "two": (-2,)}, 2, lost=lambda key: 0)))
"""


def test_processes_are_forked_whatever_the_default_is(tmp_path):
    """Python 3.14's default on Linux is not: a script without a guard would be run again in each."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "[1, 2]\n", done.stderr
