"""Images as spikes, with the classes they are of: IDX files, archives of NumPy, scikit-learn's digits.

A pixel is one bit: whether it is at least as bright as a stated level. An image is shown in one step, or
row by row, a step for each. Or a pixel is spikes over time: as many as it is bright, or one, the sooner
the brighter it is.
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


def binarised(pixels: NDArray[Any], labels: NDArray[Any], level: int, rows: bool = False) -> Images:
    """Images of pixels, of shape (images, rows, columns): bits, at once or a row in each step."""
    bits = pixels >= level
    return Images(bits if rows else bits.reshape(len(bits), 1, -1), labels.astype(np.int64))


def as_rates(pixels: NDArray[np.uint8], labels: NDArray[Any], steps: int) -> Images:
    """Images of pixels from 0 to 255: x fires x / 255 times a step, as evenly as can be.

    After s steps it has fired floor(s x / 255) times.
    """
    so_far = np.arange(steps + 1)[:, None] * pixels.reshape(len(pixels), 1, -1).astype(np.int64) // 255
    return Images(np.diff(so_far, axis=1) > 0, labels.astype(np.int64))


def as_latencies(pixels: NDArray[np.uint8], labels: NDArray[Any], steps: int) -> Images:
    """Images of pixels from 0 to 255: each fires once, x in step floor((255 - x) (steps - 1) / 255)."""
    when = (255 - pixels.reshape(len(pixels), 1, -1).astype(np.int64)) * (steps - 1) // 255
    return Images(when == np.arange(steps)[:, None], labels.astype(np.int64))


def digits(rows: bool = False) -> Images:
    """Scikit-learn's 1,797 handwritten digits of 8 x 8 pixels, in its order.

    Raises:
        NetworkError: if scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise NetworkError("scikit-learn has the digits; pip install 'spikeproof[networks]'") from None
    loaded = load_digits()
    return binarised(loaded.images, loaded.target, HALF_OF_DIGITS, rows)


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
    return binarised(*read_pixels(path, part), level, rows)


def read_pixels(folder: Path | str, part: str) -> tuple[NDArray[np.uint8], Labels]:
    """Pixels from 0 to 255, of shape (images, rows, columns), and labels, of a directory of IDX files.

    Raises:
        NetworkError: if there are none; one line that names the file.
    """
    pixels, labels = (read_idx(_found(Path(folder), name)) for name in IDX_NAMES[part])
    if pixels.ndim != 3 or labels.shape != pixels.shape[:1]:
        raise NetworkError(f"{folder}: images of shape {pixels.shape} have labels of {labels.shape}")
    return pixels, labels.astype(np.int64)


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
    try:
        with np.load(path, allow_pickle=False) as archive:
            inputs, labels = archive["inputs"], archive["labels"]
    except OSError as error:
        raise NetworkError(f"{path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        raise NetworkError(f"{path}: no archive with inputs and labels") from None
    if inputs.ndim == 2:
        inputs = inputs[:, np.newaxis]
    if not np.isin(inputs, (0, 1)).all() or not np.issubdtype(labels.dtype, np.integer):
        raise NetworkError(f"{path}: inputs must be zeros and ones, and labels integers")
    try:
        return Images(inputs.astype(bool), labels.astype(np.int64))
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from None
