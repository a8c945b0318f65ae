"""The example, small: trained for a moment, exported, certified, and with planted faults."""

import json
import sys
from argparse import Namespace
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest

pytest.importorskip("snntorch")

import torch

from examples.superconducting_digits import (
    SMALL,
    Deployed,
    classes_of,
    main,
    small_data,
    train,
    trained,
    verify,
)
from spikeproof.circuits.doors.networks import read_network
from spikeproof.prover.margins.network_pruning import scores

IMAGES = 30


@pytest.fixture(scope="module")
def test_images():
    return small_data()[1].images.chosen(slice(IMAGES))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with what a run leaves, and what it said."""
    folder, said = tmp_path_factory.mktemp("kept"), StringIO()
    arguments = (
        f"x --epochs 5 --images {IMAGES} --model {folder}/m.npz --spread {folder}/s.jsonl --pruning"
    )
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.setattr(sys, "argv", arguments.split())
        main()
        print("AGAIN")
        trained(Namespace(model=folder / "m.npz", seed=1), *small_data()[:1], SMALL)
    return folder, said.getvalue()


def test_netlist_and_module_agree_and_nothing_is_refused(kept):
    _, said = kept
    assert "by the netlist 0 are of another class, by snnTorch 0" in said
    assert f"certificates: 0 of {IMAGES} refused" in said
    first, again = said.split("AGAIN")
    assert "trained on 1,438 images" in first
    assert "there already" in again
    assert "trained on" not in again


def test_normalisation_becomes_thresholds():
    pixels = small_data()[0].part(slice(300))
    model = train(pixels, SMALL.__class__(16, (0.3, 1.0), 3, 64, 0.0, 0.0, 0.0, 0.0), seed=1)
    bits = pixels.images.inputs[:, 0]
    with torch.no_grad():
        sums = model.first(torch.from_numpy(bits).float())
        spikes, _ = model.neurons(model.norm(sums) + model.shift + 1.0, model.neurons.init_leaky())
    above, _ = scores(model.network(), bits)
    assert np.array_equal(spikes.numpy() > 0, above >= 0)
    assert 0.1 < (above >= 0).mean() < 0.9


def test_thresholds_below_zero_do_not_reset_at_rest(kept, test_images):
    network = read_network(kept[0] / "m.npz")
    assert (network.layers[0].thresholds < 0).any()
    places = Deployed(network)(torch.from_numpy(test_images.inputs[:, 0]).float()).detach().numpy()
    assert (places @ [1, 2, 4, 8]).tolist() == classes_of(network, test_images)[0].tolist()


@pytest.mark.parametrize(
    "fault",
    [
        {"spread": "1/2", "beyond": "1001/2000"},
        {"beyond": "1/2"},
        {"spikes": "00" * 16},
        {"right": False},
    ],
)
def test_a_changed_certificate_is_refused(kept, test_images, tmp_path, capsys, fault):
    lines = (kept[0] / "s.jsonl").read_text().splitlines()
    place = next(k for k, line in enumerate(lines) if '"spread"' in line)
    lines[place] = json.dumps(json.loads(lines[place]) | fault)
    (tmp_path / "s.jsonl").write_text("\n".join(lines))
    verify(read_network(kept[0] / "m.npz"), test_images, tmp_path / "s.jsonl")
    assert f"certificates: 1 of {IMAGES} refused" in capsys.readouterr().out


def test_certificates_of_other_images_are_refused(kept, test_images):
    with pytest.raises(SystemExit, match="other images"):
        verify(read_network(kept[0] / "m.npz"), test_images.chosen(slice(3)), kept[0] / "s.jsonl")
