"""How much memory a proof took."""

from __future__ import annotations

import re
import resource
import sys
from contextlib import suppress
from pathlib import Path

_SELF = Path("/proc/self")
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
_UNITS_PER_MIB = 1 << (20 if sys.platform == "darwin" else 10)  # macOS counts bytes, others KiB


def forget_peak_memory() -> None:
    """Have ``peak_memory_mib`` count from now on, as far as the system can."""
    with suppress(OSError):
        (_SELF / "clear_refs").write_text("5")


def peak_memory_mib() -> float:
    """The most memory that this process had resident, or the largest of its children so far, in MiB."""
    try:
        found = _PEAK.search((_SELF / "status").read_text())
    except OSError:
        found = None
    usage = resource.getrusage
    own = int(found[1]) if found else usage(resource.RUSAGE_SELF).ru_maxrss
    return round(max(own, usage(resource.RUSAGE_CHILDREN).ru_maxrss) / _UNITS_PER_MIB, 1)
