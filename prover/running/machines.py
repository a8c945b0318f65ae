"""On which machine, and with which libraries, a function was run."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeproof.prover.claims.obligation import StatementError

CPU = "cpu"

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What libraries read when they are loaded."""


@dataclass(frozen=True)
class Machine:
    """Where a function was run, for the record.

    Attributes:
        processor: its name, how many cores of it there are, and the system.
        device: ``cpu``; or another of PyTorch's, with its name.
        threads: how many the function may use; None: as many as the library likes.
        libraries: with their versions.
    """

    processor: str
    device: str
    threads: int | None
    libraries: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """What JSON has."""
        return {**vars(self), "libraries": list(self.libraries)}


def machine_of(data: dict[str, Any]) -> Machine:
    """What was written as data."""
    return Machine(data["processor"], data["device"], data["threads"], tuple(data["libraries"]))


def this_machine(device: str, threads: int | None, tensors: bool) -> Machine:
    """This one, with what is loaded in this process.

    Args:
        tensors: whether the function is one of tensors.
    """
    named = device
    if tensors:
        import torch

        threads = torch.get_num_threads() if threads is None else threads
        if device.startswith("cuda"):
            named = f"{device}: {torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    return Machine(processor(), named, threads, tuple(_libraries()))


def require_device(device: str) -> None:
    """Refuse a device that PyTorch does not have here.

    Raises:
        StatementError: one line.
    """
    if device == CPU:
        return
    import torch

    try:
        torch.zeros(1, device=device).cpu()
    except Exception as error:
        why = str(error).partition("\n")[0]
        raise StatementError(f"PyTorch has no device {device!r} here: {why}") from None


def processor() -> str:
    """The processor's name, how many cores of it there are, and the system."""
    names = []
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        pass
    name = names[0] if names else platform.processor() or "a processor"
    return f"{name}, {os.cpu_count()} cores, {platform.machine()}, {platform.system()}"


def _libraries() -> list[str]:
    """Of those that sum, which are loaded, and what they were built with."""
    found = [f"python {platform.python_version()}"]
    for name in ("numpy", "scipy", "torch"):
        module = sys.modules.get(name)
        if module is not None:
            found.append(f"{name} {module.__version__}")
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        blas = numpy.__config__.CONFIG.get("Build Dependencies", {}).get("blas", {})
        if {"name", "version"} <= set(blas):
            found.append(f"{blas['name']} {blas['version']}, of numpy")
    if torch is not None:
        lines = [line.strip(" -") for line in torch.__config__.show().splitlines()]
        kept = ("Intel(R) oneAPI", "Intel(R) MKL-DNN", "CPU capability", "CuDNN", "CUDA Runtime")
        found += [f"{line}, of torch" for line in lines if line.startswith(kept)]
    return found
