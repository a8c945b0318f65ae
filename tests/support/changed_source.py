"""Modules of ours with a fault in their source."""

from pathlib import Path
from types import ModuleType


def faulty(module: ModuleType, *replacements: tuple[str, str]) -> ModuleType:
    """The same module, executed with each text, which it has once, replaced by another."""
    source = Path(str(module.__file__)).read_text()
    for old, new in replacements:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    found = ModuleType("faulty")
    exec(compile(source, "faulty", "exec"), found.__dict__)
    return found
