"""Images as spikes, with the classes they are of: IDX files, archives of NumPy, scikit-learn's digits.

A pixel is one bit: whether it is at least as bright as a stated level. An image is shown in one step, or
row by row, a step for each; or its brightness is spikes over several steps (``codings``).
"""

from __future__ import annotations

import gzip
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.codings import Coding, by_latency, by_rate, evenly
from spikeproof.specs.networks import NetworkError, Spikes

Labels = NDArray[np.int64]

HALF_OF_A_BYTE = 128
"""The level at which a pixel of 0 to 255 is a spike, unless another is named."""

HALF_OF_DIGITS = 8
"""The same of scikit-learn's digits, whose pixels are 0 to 16."""

IDX_OF_BYTES = b"\0\0\x08"
"""How an IDX file of unsigned bytes begins; a byte for the number of its dimensions follows."""

IDX_NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
"""The files of MNIST, by part: as they are, or compressed, with ``.gz``."""


@dataclass(frozen=True, eq=False)
class Images:
    """Spikes, and the class of each image.

    Attributes:
        inputs: of shape (images, steps, inputs).
        labels: of shape (images,).

    Raises:
        NetworkError: on construction, if these do not fit.
    """

    inputs: Spikes
    labels: Labels

    def __post_init__(self) -> None:
        if self.inputs.dtype != np.bool_ or self.inputs.ndim != 3:
            raise NetworkError("images must be bits of shape (images, steps, inputs)")
        if self.labels.dtype != np.int64 or self.labels.shape != self.inputs.shape[:1]:
            raise NetworkError(f"{len(self.inputs)} images need as many labels, as 64-bit integers")

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def digest(self) -> str:
        """SHA-256 of the shape, the inputs (a byte each) and the labels (little-endian, 64 bits)."""
        digest = sha256(str(self.inputs.shape).encode())
        digest.update(self.inputs.tobytes())
        digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()

    def chosen(self, places: Any) -> Images:
        """Some of them: a slice, or an array of places."""
        return Images(self.inputs[places], self.labels[places])


ROWS = Coding("rows")


@dataclass(frozen=True, eq=False)
class Pixels:
    """Images before they are spikes.

    Attributes:
        values: of shape (images, rows, columns), or more dimensions; whole numbers of at least 0.
        labels: of shape (images,).
        largest: the largest value that there can be.
        level: what a pixel must be to be a spike, where it is one bit.

    Raises:
        NetworkError: on construction, if these do not fit.
    """

    values: NDArray[Any]
    labels: Labels
    largest: int
    level: int

    def __post_init__(self) -> None:
        if not np.issubdtype(self.values.dtype, np.integer) or self.values.ndim < 2:
            raise NetworkError("pixels must be whole numbers of shape (images, rows, columns)")
        if self.labels.dtype != np.int64 or self.labels.shape != self.values.shape[:1]:
            raise NetworkError(f"{len(self.values)} images need as many labels, as 64-bit integers")
        if not 0 < self.largest < 1 << 32:
            raise NetworkError(f"the largest value of a pixel is from 1 to 2^32, not {self.largest}")
        if self.values.size and not 0 <= self.values.min() <= self.values.max() <= self.largest:
            raise NetworkError(f"pixels must be from 0 to {self.largest}")

    def chosen(self, places: Any) -> Pixels:
        """Some of the images: a slice, or an array of places."""
        return Pixels(self.values[places], self.labels[places], self.largest, self.level)

    def images(self, coding: Coding | None = None) -> Images:
        """Their spikes; without a coding one bit for each pixel, in one step."""
        values = self.values.astype(np.int64)
        flat = values.reshape(len(values), -1)
        if coding is None:
            spikes = (flat >= self.level)[:, np.newaxis]
        elif coding.name == "rows":
            spikes = values.reshape(len(values), values.shape[1], -1) >= self.level
        elif coding.name == "latency":
            spikes = by_latency(flat, self.largest, coding.steps)
        elif coding.name == "even":
            spikes = evenly(flat, self.largest, coding.steps)
        else:
            spikes = by_rate(flat, self.largest, coding.steps, coding.seed)
        return Images(spikes, self.labels)


def digit_pixels() -> Pixels:
    """Scikit-learn's 1,797 handwritten digits of 8 x 8 pixels from 0 to 16, in its order.

    Raises:
        NetworkError: if scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise NetworkError("scikit-learn has the digits; pip install 'spikeproof[networks]'") from None
    loaded = load_digits()
    return Pixels(loaded.images.astype(np.int64), loaded.target.astype(np.int64), 16, HALF_OF_DIGITS)


def digits(rows: bool = False) -> Images:
    """Scikit-learn's digits, as bits.

    Raises:
        NetworkError: if scikit-learn is not installed.
    """
    return digit_pixels().images(ROWS if rows else None)


def read_images(
    path: Path | str, part: str = "test", level: int = HALF_OF_A_BYTE, rows: bool = False
) -> Images:
    """The images of an archive (``write_images``), or of a directory of IDX files, as MNIST's.

    Args:
        path: ``FILE.npz`` with ``inputs``, zeros and ones of shape (images, inputs) or (images, steps,
            inputs), and ``labels``; or a directory.
        part: of a directory: ``train`` or ``test``.
        level: of a directory: what a pixel must be to be a spike.
        rows: of a directory: whether an image is shown row by row.

    Raises:
        NetworkError: if there are none; one line that names the file.
    """
    path = Path(path)
    if not path.is_dir():
        return _of_archive(path)
    return read_pixels(path, part, level).images(ROWS if rows else None)


def read_pixels(path: Path | str, part: str = "test", level: int = HALF_OF_A_BYTE) -> Pixels:
    """The pixels of a directory of IDX files, from 0 to 255, or of an archive.

    Args:
        path: a directory; or ``FILE.npz`` with ``pixels``, whole numbers of shape (images, rows,
            columns), ``labels``, and ``largest``, the largest a pixel can be, unless that is 255.
        part: of a directory: ``train`` or ``test``.

    Raises:
        NetworkError: if there are none; one line that names the file.
    """
    path = Path(path)
    if not path.is_dir():
        return _pixels_of_archive(path, level)
    values, labels = (read_idx(_found(path, name)) for name in IDX_NAMES[part])
    if values.ndim != 3 or labels.shape != values.shape[:1]:
        raise NetworkError(f"{path}: images of shape {values.shape} have labels of {labels.shape}")
    return Pixels(values, labels.astype(np.int64), 255, level)


def write_images(images: Images, path: Path | str) -> None:
    """Write images as an archive; ``read_images`` gives ones back that have the same digest."""
    with open(path, "wb") as file:
        np.savez_compressed(file, inputs=images.inputs, labels=images.labels)


def read_idx(path: Path | str) -> NDArray[np.uint8]:
    """The bytes in an IDX file, compressed or not, in their shape.

    Raises:
        NetworkError: if it cannot be read, or is none.
    """
    try:
        data = Path(path).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise NetworkError(f"{path}: {error}") from None
    if data[:3] != IDX_OF_BYTES or len(data) < 4 + 4 * data[3]:
        raise NetworkError(f"{path}: no IDX file of unsigned bytes")
    start = 4 + 4 * data[3]
    shape = tuple(np.frombuffer(data[4:start], ">u4").tolist())
    if len(data) - start != int(np.prod(shape, dtype=object)):
        raise NetworkError(f"{path}: is of another length than its header says")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _found(folder: Path, name: str) -> Path:
    """A file of a directory, compressed or not."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise NetworkError(f"{folder}: has no {name}, with or without .gz")


def _of_archive(path: Path) -> Images:
    """The images of an archive of NumPy."""
    arrays = _arrays(path)
    if not arrays.keys() >= {"inputs", "labels"}:
        raise NetworkError(f"{path}: no archive with inputs and labels")
    inputs, labels = arrays["inputs"], arrays["labels"]
    if inputs.ndim == 2:
        inputs = inputs[:, np.newaxis]
    if not np.isin(inputs, (0, 1)).all() or not np.issubdtype(labels.dtype, np.integer):
        raise NetworkError(f"{path}: inputs must be zeros and ones, and labels integers")
    try:
        return Images(inputs.astype(bool), labels.astype(np.int64))
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from None


def _pixels_of_archive(path: Path, level: int) -> Pixels:
    """The pixels of an archive of NumPy."""
    arrays = _arrays(path)
    if not arrays.keys() >= {"pixels", "labels"}:
        raise NetworkError(f"{path}: no archive with pixels and labels, of which a coding makes spikes")
    largest, labels = arrays.get("largest", np.array(255)), arrays["labels"]
    if largest.shape != () or not all(np.issubdtype(a.dtype, np.integer) for a in (largest, labels)):
        raise NetworkError(f"{path}: labels must be integers, and largest one number")
    try:
        return Pixels(arrays["pixels"], labels.astype(np.int64), int(largest), level)
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from None


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """What an archive of NumPy has in it; nothing if it is none."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise NetworkError(f"{path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        return {}
