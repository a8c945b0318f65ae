"""Programs of other makers that tests run."""

import os
import shutil

import pytest


def needs(packages, *programs):
    """Programs that a test cannot do without: CI has them, others are told how to get them."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"needs {', '.join(missing)}; run: apt-get install {packages}"
        )
