"""Images over time, against the definition."""

import numpy as np
import pytest

from spikeproof.circuits.doors.codings import Coding, by_latency, by_rate, evenly
from spikeproof.circuits.doors.images import Pixels, digit_pixels, digits, read_pixels
from spikeproof.specs import codings
from spikeproof.specs.networks import NetworkError


@pytest.mark.parametrize("largest", [1, 16, 255, 4095])
@pytest.mark.parametrize("steps", [1, 2, 5, 16])
def test_many_images_at_once_are_what_the_definition_says(largest, steps):
    random = np.random.default_rng(steps)
    pixels = random.integers(0, largest + 1, (4, 7))
    pixels[0, :2] = 0, largest
    found = by_latency(pixels, largest, steps)
    assert found.tolist() == [codings.latency(image, largest, steps) for image in pixels.tolist()]
    found = evenly(pixels, largest, steps)
    assert found.tolist() == [codings.even(image, largest, steps) for image in pixels.tolist()]
    for seed in (0, 24, 10**17):
        found = by_rate(pixels, largest, steps, seed)
        assert found.tolist() == [codings.rate(image, largest, steps, seed) for image in pixels.tolist()]


def test_images_are_coded_each_by_itself():
    pixels = digit_pixels()
    for coding in (Coding("latency", 5), Coding("even", 5), Coding("rate", 5, 3), Coding("rows")):
        whole, some = pixels.images(coding), pixels.chosen(slice(-3, None)).images(coding)
        assert np.array_equal(whole.inputs[-3:], some.inputs)
    assert pixels.images(Coding("rows")).digest == digits(rows=True).digest
    assert pixels.images().digest == digits().digest
    assert pixels.images(Coding("latency", 5)).inputs.shape == (1797, 5, 64)


@pytest.mark.parametrize(
    ("text", "coding"),
    [
        ("rows", Coding("rows")),
        ("latency:16", Coding("latency", 16)),
        ("even:3", Coding("even", 3)),
        ("rate:8:24", Coding("rate", 8, 24)),
    ],
)
def test_codings_have_names(text, coding):
    assert Coding.parse(text) == coding


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latency",
        "latency:0",
        "latency:1001",
        "rate:8",
        "rate:8:-1",
        "even:3:4",
        "rows:3",
        "latency:16 ",
    ],
)
def test_what_is_no_coding(text):
    with pytest.raises(NetworkError, match=r"no coding|steps"):
        Coding.parse(text)


def test_archives_of_pixels(tmp_path):
    file = tmp_path / "pixels.npz"
    pixels, labels = np.arange(12).reshape(3, 2, 2), np.arange(3)
    np.savez(file, pixels=pixels, labels=labels, largest=11)
    read = read_pixels(file)
    assert read.largest == 11
    assert read.images(Coding("latency", 12)).inputs[2].argmax(0).tolist() == [3, 2, 1, 0]
    for arrays, said in [
        ({"pixels": pixels}, "no archive with pixels and labels"),
        ({"pixels": pixels - 1, "labels": labels}, "from 0 to 255"),
        ({"pixels": pixels, "labels": labels, "largest": 5}, "from 0 to 5"),
        ({"pixels": pixels, "labels": labels, "largest": 0}, "the largest value"),
        ({"pixels": pixels / 2, "labels": labels}, "whole numbers"),
        ({"pixels": pixels, "labels": labels[:2]}, "as many labels"),
        ({"pixels": pixels, "labels": labels / 2}, "labels must be integers"),
    ]:
        np.savez(file, **arrays)
        with pytest.raises(NetworkError, match=said) as caught:
            read_pixels(file)
        assert str(caught.value).startswith(f"{file}: ")
    with pytest.raises(NetworkError, match="whole numbers"):
        Pixels(np.zeros((2, 2, 2)), np.zeros(2, np.int64), 1, 1)
