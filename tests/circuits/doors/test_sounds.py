"""Sounds as spikes: tones are heard in their bands, nothing looks ahead, and energies are integers."""

import wave
from dataclasses import replace

import numpy as np
import pytest

from spikeproof.circuits.doors.sounds import FilterBank, read_recordings, read_wav
from spikeproof.specs.networks import NetworkError

BANK = FilterBank()
RANDOM = np.random.default_rng(24)


def tone(frequency, samples=3200, loudness=10_000):
    return np.rint(loudness * np.sin(2 * np.pi * frequency * np.arange(samples) / 8000)).astype(np.int64)


def written(path, samples, channels=1, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def test_a_higher_tone_is_loudest_in_a_higher_band():
    loudest = [int(BANK.energies(tone(f), 20)[10].argmax()) for f in (150, 300, 600, 1200, 2400, 3600)]
    assert loudest == sorted(set(loudest))
    spikes = BANK.spikes(tone(600), 20)[10].reshape(len(BANK.levels), BANK.bands)
    band = loudest[2]
    assert spikes[:, band].all()  # itself the loudest, so at every level
    assert spikes[0].sum() == 1
    assert (spikes[:-1] <= spikes[1:]).all()  # a lower level is reached by whatever reaches a higher one


def test_nothing_looks_ahead():
    sound = RANDOM.integers(-20_000, 20_000, 3200)
    for step in (1, 7, 15):
        other = sound.copy()
        other[step * BANK.hop :] = RANDOM.integers(-20_000, 20_000, 3200 - step * BANK.hop)
        assert (BANK.spikes(sound, 20)[:step] == BANK.spikes(other, 20)[:step]).all()
        assert (BANK.spikes(sound, 20) != BANK.spikes(other, 20)).any()


def test_energies_are_those_of_exact_arithmetic():
    sound = RANDOM.integers(-(1 << 15), 1 << 15, 800)
    padded = [0] * (BANK.window - BANK.hop) + sound.tolist() + [0] * 1600
    waves = [[int(each) for each in row] for row in BANK._waves.T]
    triangles = BANK._triangles.tolist()
    for step, energies in enumerate(BANK.energies(sound, 6).tolist()):
        frame = padded[step * BANK.hop :][: BANK.window]
        parts = [sum(a * b for a, b in zip(frame, row, strict=True)) >> 10 for row in waves]
        half = len(parts) // 2
        powers = [parts[i] ** 2 + parts[i + half] ** 2 for i in range(half)]
        assert energies == [
            sum(power * row[band] for power, row in zip(powers, triangles, strict=True))
            for band in range(BANK.bands)
        ]


def test_silence_is_silent_and_levels_that_could_overflow_are_refused():
    assert not BANK.spikes(np.zeros(1600, np.int64), 10).any()
    loud = np.tile(np.array([32767, -32768]), 1600)
    assert BANK.spikes(loud, 20).any()
    with pytest.raises(NetworkError, match="levels must be from 0 to"):
        replace(BANK, levels=(0, 30))


def test_recordings_are_read_by_their_names(tmp_path):
    for name in ("7_ann_0", "3_bob_12"):
        written(tmp_path / f"{name}.wav", tone(400, 900))
    found = read_recordings(tmp_path, BANK, 9)
    assert found.names == ["3_bob_12", "7_ann_0"]
    assert found.images.labels.tolist() == [3, 7]
    assert found.images.inputs.shape == (2, 9, BANK.inputs)
    assert found.lengths.tolist() == [900, 900]
    assert found.chosen([1]).names == ["7_ann_0"]


def test_what_is_no_recording_is_refused_in_a_line(tmp_path):
    with pytest.raises(NetworkError, match="has no recordings"):
        read_recordings(tmp_path, BANK, 9)
    path = tmp_path / "1_ann_0.wav"
    path.write_bytes(b"no sound")
    with pytest.raises(NetworkError, match=r"1_ann_0\.wav: "):
        read_recordings(tmp_path, BANK, 9)
    with pytest.raises(NetworkError, match="2 channels of 16 bits at 8000 Hz, not 1"):
        read_wav(written(path, tone(400), channels=2), 8000)
    with pytest.raises(NetworkError, match="at 16000 Hz"):
        read_wav(written(path, tone(400), rate=16000), 8000)
    with pytest.raises(NetworkError, match="No such file"):
        read_wav(tmp_path / "none.wav", 8000)
