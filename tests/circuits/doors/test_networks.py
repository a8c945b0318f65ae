"""Networks as files: what is written is read again, and what is no network is refused in one line."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from spikeproof.circuits.doors.networks import network_digest, read_network, write_network
from spikeproof.specs.networks import (
    USUAL_ORDER,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
)


@pytest.fixture
def network():
    def integers(*shape):
        return np.arange(np.prod(shape), dtype=np.int64).reshape(shape) - 3

    dynamics = Dynamics(Fraction(1, 3), AfterSpike.ZERO, USUAL_ORDER, strict=True)
    hidden = Layer(integers(4, 3), integers(4), integers(4), dynamics, integers(4, 4))
    outputs = Layer(integers(2, 4), integers(2), integers(2), dynamics)
    return Network((hidden, outputs), 5, Readout(Score.COUNT, lead=2))


def test_a_network_is_read_as_it_was_written(network, tmp_path):
    path = tmp_path / "network.npz"
    write_network(network, path)
    again = read_network(path)
    assert network_digest(again) == network_digest(network)
    assert again.readout == network.readout
    assert again.layers[0].dynamics == network.layers[0].dynamics
    assert (again.layers[0].recurrent == network.layers[0].recurrent).all()
    assert again.layers[1].recurrent is None


def test_every_part_of_a_network_is_in_its_digest(network):
    hidden, outputs = network.layers
    others = [
        replace(network, steps=6),
        replace(network, readout=Readout(Score.COUNT)),
        replace(network, layers=(hidden, replace(outputs, weights=outputs.weights + 1))),
        replace(network, layers=(hidden, replace(outputs, bias=outputs.bias + 1))),
        replace(network, layers=(hidden, replace(outputs, thresholds=outputs.thresholds + 1))),
        replace(network, layers=(replace(hidden, recurrent=None), outputs)),
        replace(
            network, layers=(hidden, replace(outputs, dynamics=replace(outputs.dynamics, strict=False)))
        ),
    ]
    assert len({network_digest(each) for each in [network, *others]}) == len(others) + 1


def test_what_is_no_network_is_refused_in_one_line(network, tmp_path):
    path = tmp_path / "network.npz"
    with pytest.raises(NetworkError, match=r"network\.npz: No such file"):
        read_network(path)
    path.write_bytes(b"no archive")
    with pytest.raises(NetworkError, match="no file of a network"):
        read_network(path)
    np.savez(path, weights=np.zeros(3))
    with pytest.raises(NetworkError, match="no file of a network"):
        read_network(path)
    write_network(network, path)
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(path, **arrays, more=np.zeros(3))
    with pytest.raises(NetworkError, match="more in it than a network"):
        read_network(path)
    arrays["weights_0"] = arrays["weights_0"][:, :2]
    np.savez(path, **arrays)
    with pytest.raises(NetworkError, match="more in it than a network, or less"):
        read_network(path)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("strict", 2),
        ("strict", None),
        ("strict", "no"),
        ("leak", "1/0"),
        ("leak", None),
        ("order", ["leak"]),
    ],
)
def test_descriptions_that_mean_nothing_are_refused(network, tmp_path, part, value):
    path = tmp_path / "network.npz"
    write_network(network, path)
    with np.load(path) as archive:
        arrays = dict(archive)
    described = json.loads(arrays["network"].tobytes())
    described["layers"][0][part] = value
    arrays["network"] = np.frombuffer(json.dumps(described).encode(), np.uint8)
    np.savez(path, **arrays)
    with pytest.raises(NetworkError, match=r"network\.npz: "):
        read_network(path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "network.npz"
    path.write_bytes(b"")
    with pytest.raises(NetworkError, match="no file of a network"):
        read_network(path)
