"""The example of spoken digits, on tones: trained, kept, found again, and shown."""

import sys
import wave
from fractions import Fraction

import numpy as np
import pytest

from examples import spoken_digits
from spikeproof.circuits.doors.images import read_images
from spikeproof.circuits.doors.networks import read_network
from spikeproof.circuits.networks.exact import run_all


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    """Ten pitches, of two speakers, seven times each."""
    folder = tmp_path_factory.mktemp("tones")
    random = np.random.default_rng(24)
    for digit in range(10):
        for speaker in ("ann", "bob"):
            for number in range(7):
                time = np.arange(2400 + int(random.integers(400)))
                pitch = 200 * 1.3**digit * (1 + 0.01 * random.standard_normal())
                sound = 8000 * np.sin(2 * np.pi * pitch * time / 8000) + random.normal(0, 50, len(time))
                with wave.open(str(folder / f"{digit}_{speaker}_{number}.wav"), "wb") as file:
                    file.setnchannels(1)
                    file.setsampwidth(2)
                    file.setframerate(8000)
                    file.writeframes(np.rint(sound).astype("<i2").tobytes())
    return folder


def ran(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["spoken_digits", *map(str, arguments)])
    return spoken_digits.main()


def test_a_network_is_trained_kept_and_found_again(tones, tmp_path, monkeypatch, capsys):
    model = tmp_path / "model.npz"
    asked = "--data", tones, "--model", model, "--plot", tmp_path / "plot.svg"
    assert ran(monkeypatch, *asked, "--epochs", 8) == 0
    shown = capsys.readouterr().out
    assert "100 recordings" in shown
    assert (tmp_path / "plot.svg").stat().st_size > 1000
    network, held = read_network(model), read_images(tmp_path / "model_images.npz")
    right = (run_all(network, held.inputs).decisions == held.labels).mean()
    assert right > 0.5
    assert f"*    2 {right:7.1%}" in shown
    assert ran(monkeypatch, *asked) == 0
    again = capsys.readouterr().out
    assert "not trained again" in again
    assert again.split("\n", 1)[1] == shown


def test_neurons_that_forget_are_read_out_at_the_end(tones, tmp_path, monkeypatch, capsys):
    model = tmp_path / "model.npz"
    asked = "--data", tones, "--model", model, "--epochs", 1, "--memoryless", "--without", "bob"
    assert ran(monkeypatch, *asked) == 0
    assert "70 recordings" in capsys.readouterr().out
    network = read_network(model)
    assert network.readout.lead is None
    assert {layer.dynamics.leak for layer in network.layers} == {Fraction(0)}


def test_what_is_no_data_is_said_in_a_line(tmp_path, monkeypatch, capsys):
    assert ran(monkeypatch, "--data", tmp_path, "--model", tmp_path / "model.npz") == 2
    assert "has no recordings" in capsys.readouterr().err
    with pytest.raises(SystemExit) as refused:
        ran(monkeypatch, "--data", tmp_path, "--model", tmp_path / "none" / "model.npz")
    assert refused.value.code == 2
