"""Networks as files: archives of NumPy (``.npz``), of arrays by layer and a description in JSON."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import (
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
)

if TYPE_CHECKING:
    from spikeproof.circuits.doors.nir_reading import Reading

SCHEMA = "spikeproof-network-1"
ARRAYS = ("weights", "bias", "thresholds", "recurrent")
DESCRIPTION = "network"


def network_digest(network: Network) -> str:
    """SHA-256 of what a network is: its description and then its arrays, little-endian, in 64 bits."""
    digest = sha256(_described(network).encode())
    for array in _arrays(network).values():
        digest.update(array.astype("<i8").tobytes())
    return digest.hexdigest()


def write_network(network: Network, path: Path | str) -> None:
    """Write a network; ``read_network`` gives one back that has the same digest."""
    arrays: dict[str, Any] = dict(_arrays(network))
    arrays[DESCRIPTION] = np.frombuffer(_described(network).encode(), np.uint8)
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)


@dataclass(frozen=True)
class NetworkFile:
    """A file with a network in it, and what must be stated of it.

    Attributes:
        reading: of a graph of NIR (``.nir``): what that leaves open, as ``Reading.parse`` takes it.
        readout: of a graph of NIR: how a class comes from its outputs.
        bits: of a graph of NIR: round to multiples of 2^-bits; else numbers stay as they are.
    """

    path: Path
    reading: str | None = None
    readout: Readout | None = None
    bits: int | None = None

    def read(self) -> Network:
        """The network in it.

        Raises:
            NetworkError: as ``read_network`` says.
        """
        return read_network(self.path, self.reading, self.readout, self.bits)

    def __str__(self) -> str:
        return str(self.path)


def read_network(
    path: Path | str,
    reading: Reading | str | None = None,
    readout: Readout | None = None,
    bits: int | None = None,
) -> Network:
    """The network in a file: of ``write_network``, or, of a name that ends in ``.nir``, a graph of NIR.

    Args:
        reading: of a graph, which states no time step, strictness or reset: as ``network_of_nir`` says.
        readout: of a graph: how a class comes from its outputs.
        bits: of a graph: round its numbers.

    Raises:
        NetworkError: if it cannot be read, or holds no network; if something must be stated and is not,
            or is and must not be; one line that names the file.
    """
    if Path(path).suffix == ".nir":
        from spikeproof.circuits.doors.nir_networks import read_nir_network

        return read_nir_network(path, reading, readout, bits)
    if (reading, readout, bits) != (None, None, None):
        raise NetworkError(
            f"{path}: only a graph of NIR needs a reading, a read-out or bits; leave them"
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return _built(json.loads(arrays.pop(DESCRIPTION).tobytes()), arrays)
    except OSError as error:
        raise NetworkError(f"{path}: {error.strerror or error}") from None
    except (
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
    ) as error:
        what = str(error) if isinstance(error, NetworkError) else f"no file of a network ({SCHEMA})"
        raise NetworkError(f"{path}: {what}") from None


def _described(network: Network) -> str:
    """Everything but the numbers of neurons, as canonical JSON."""
    layers = [
        {
            "leak": str(layer.dynamics.leak),
            "reset": layer.dynamics.reset.value,
            "order": list(layer.dynamics.order),
            "strict": layer.dynamics.strict,
            "shapes": {
                name: getattr(layer, name).shape for name in ARRAYS if getattr(layer, name) is not None
            },
        }
        for layer in network.layers
    ]
    readout = {"score": network.readout.score.value, "lead": network.readout.lead}
    described = {"schema": SCHEMA, "steps": network.steps, "readout": readout, "layers": layers}
    return json.dumps(described, sort_keys=True, separators=(",", ":"))


def _arrays(network: Network) -> dict[str, NDArray[np.int64]]:
    """The arrays of all layers, by the names they have in a file."""
    return {
        f"{name}_{place}": array
        for place, layer in enumerate(network.layers)
        for name in ARRAYS
        if (array := getattr(layer, name)) is not None
    }


def _built(described: dict[str, Any], arrays: dict[str, Any]) -> Network:
    """The network of a description and arrays.

    Raises:
        NetworkError: if something is missing or left over.
        KeyError, TypeError, ValueError: if the description is none.
    """
    if described["schema"] != SCHEMA:
        raise NetworkError(f"is of {described['schema']!r}, not {SCHEMA}")
    layers = tuple(
        Layer(
            **{name: arrays.pop(f"{name}_{place}", None) for name in ARRAYS},
            dynamics=Dynamics(
                Fraction(each["leak"]),
                AfterSpike(each["reset"]),
                tuple(each["order"]),
                each["strict"],
            ),
        )
        for place, each in enumerate(described["layers"])
    )
    readout = Readout(Score(described["readout"]["score"]), described["readout"]["lead"])
    network = Network(layers, described["steps"], readout)
    if arrays or json.loads(_described(network)) != described:
        raise NetworkError("has more in it than a network, or less")
    return network
