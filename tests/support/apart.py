"""Code of users that runs here: where what is tested does not depend on the process that it runs in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from spikeproof.circuits.doors import module_worker, sources
from spikeproof.circuits.doors.apart import loaded
from spikeproof.circuits.doors.modules import Calling
from spikeproof.circuits.netlist import Netlist


def imported_here(source: str, inputs: Any, outputs: Any, **calling: Any) -> Netlist:
    """As ``modules.import_module``: a new process would load PyTorch anew, which takes seconds."""
    asked = asdict(Calling(dict(inputs), dict(outputs), **calling))
    return module_worker._imported({"source": source, "calling": asked, "folder": ""})


@contextmanager
def in_this_process(folder: Path) -> Iterator[None]:
    """Modules of a folder, and functions that make them, are read here, and forgotten again."""

    def asked(worker: str, request: dict[str, Any], *_: Any) -> Any:
        return loaded(worker)(request)

    def read(source: str, inputs: Any, outputs: Any, **said: Any) -> Netlist:
        calling = {name: said[name] for name in said if name not in ("seconds", "memory_mib")}
        return imported_here(source, inputs, outputs, **calling)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path])
        patch.setattr(module_worker, "refuse_writing", lambda folder: None)
        patch.setattr(sources, "ask_apart", asked)
        patch.setattr(sources, "import_module", read)
        yield
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(folder):
            del sys.modules[name]
