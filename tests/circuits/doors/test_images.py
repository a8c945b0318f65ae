import gzip
import struct

import numpy as np
import pytest

from spikeproof.circuits.doors.images import (
    Images,
    digits,
    read_idx,
    read_images,
    write_images,
)
from spikeproof.specs.networks import NetworkError

PIXELS = np.array([[[0, 127], [128, 255]], [[200, 0], [0, 0]], [[1, 2], [3, 4]]], np.uint8)
LABELS = np.array([7, 1, 0], np.uint8)


def idx(array: np.ndarray) -> bytes:
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return head + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(PIXELS)))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS))
    return tmp_path


def test_a_pixel_at_the_level_is_a_spike(folder):
    images = read_images(folder)
    assert images.inputs.tolist() == [[[0, 0, 1, 1]], [[1, 0, 0, 0]], [[0, 0, 0, 0]]]
    assert images.labels.tolist() == [7, 1, 0]
    assert read_images(folder, level=2).inputs[2].tolist() == [[0, 1, 1, 1]]


def test_row_by_row(folder):
    assert read_images(folder, rows=True).inputs[0].tolist() == [[0, 0], [1, 1]]


def test_archives_give_back_what_was_written(folder, tmp_path):
    images = read_images(folder, rows=True)
    write_images(images, tmp_path / "images.npz")
    assert read_images(tmp_path / "images.npz").digest == images.digest
    assert images.chosen([0, 2]).labels.tolist() == [7, 0]
    assert images.chosen([0, 2]).digest != images.digest
    np.savez(tmp_path / "flat.npz", inputs=np.array([[0, 1]]), labels=np.array([3]))
    assert read_images(tmp_path / "flat.npz").inputs.tolist() == [[[False, True]]]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        idx(PIXELS)[:-1],
        idx(PIXELS) + b"\0",
        b"\0\0\x0d" + idx(PIXELS)[3:],
        gzip.compress(idx(PIXELS), mtime=0)[:-9],
        idx(PIXELS)[:7],
    ],
)
def test_what_is_no_idx_file(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(NetworkError, match="file"):
        read_idx(tmp_path / "file")


@pytest.mark.parametrize(
    "arrays",
    [
        {"inputs": np.array([[0, 2]]), "labels": np.array([3])},
        {"inputs": np.array([[0, 1]]), "labels": np.array([0.5])},
        {"inputs": np.array([[0, 1]]), "labels": np.array([1, 2])},
        {"inputs": np.array([[0, 1]])},
    ],
)
def test_what_is_no_archive_of_images(tmp_path, arrays):
    np.savez(tmp_path / "file.npz", **arrays)
    with pytest.raises(NetworkError):
        read_images(tmp_path / "file.npz")


def test_what_is_missing(tmp_path):
    with pytest.raises(NetworkError, match="t10k-images"):
        read_images(tmp_path)
    with pytest.raises(NetworkError, match="none"):
        read_images(tmp_path / "none.npz")


def test_the_digits_are_there():
    at_once, by_rows = digits(), digits(rows=True)
    assert at_once.inputs.shape == (1797, 1, 64)
    assert by_rows.inputs.shape == (1797, 8, 8)
    assert np.array_equal(at_once.inputs.reshape(-1), by_rows.inputs.reshape(-1))
    assert np.bincount(at_once.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_labels_fit():
    with pytest.raises(NetworkError, match="as many labels"):
        Images(np.zeros((2, 1, 3), bool), np.zeros(3, np.int64))
