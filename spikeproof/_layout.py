"""Refuses a package without its folders, which are symbolic links in a clone.

Imported with the package, and run by ``setup.py`` before anything is built.
"""

from pathlib import Path

HERE = Path(__file__).parent

for folder in ("circuits", "proofs", "prover", "reference", "specs"):
    if not (HERE / folder).is_dir():
        raise ImportError(
            f"{HERE / folder} is no folder: it was cloned, or packed, without symbolic links; in the "
            "clone, `git config core.symlinks true` and `git checkout -- spikeproof`, and install again"
        )
