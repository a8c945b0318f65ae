"""Listing what is promised states nothing: whoever states a theorem next has its symbols to itself."""

import subprocess
import sys

LISTED = """
from pysmt.environment import get_env
from spikeproof.prover.claims.catalogue import catalogue
assert len(catalogue()) > 10_000
print(list(get_env().formula_manager.symbols))
"""


def test_no_symbol_is_made_by_listing():
    """A record of another theorem was refused once, since one had been (found by a reader)."""
    ran = subprocess.run([sys.executable, "-c", LISTED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
