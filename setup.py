"""Refuses to build from a clone without symbolic links; all else is in pyproject.toml."""

import runpy
from pathlib import Path

from setuptools import setup

runpy.run_path(str(Path(__file__).with_name("spikeproof") / "_layout.py"))
setup()
