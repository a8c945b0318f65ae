"""The example, small: trained for a moment, exported, certified, and with planted faults."""

import json
import sys
from argparse import Namespace
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache
from io import StringIO

import numpy as np
import pytest
import torch

import spikeproof
from examples import superconducting_digits
from examples.superconducting_digits import (
    SMALL,
    Deployed,
    classes_of,
    exported,
    main,
    small_data,
    train,
    trained,
)
from spikeproof.circuits.doors.images import IDX_NAMES
from spikeproof.circuits.doors.networks import network_digest, read_network
from spikeproof.prover.margins.network_pruning import scores

IMAGES = 16


@pytest.fixture(scope="module")
def test_images():
    return small_data()[1].images().chosen(slice(IMAGES))


@pytest.fixture(scope="module", autouse=True)
def exported_once():
    """A network that several runs find again is exported, and its data are read, once."""
    netlists, data = {}, cache(small_data)

    def of(network):
        key = network_digest(network)
        if key not in netlists:
            netlists[key] = exported(network)
        return netlists[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(superconducting_digits, "exported", of)
        patch.setattr(superconducting_digits, "small_data", data)
        yield


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


@pytest.fixture(scope="module")
def few():
    """Images, and a model of few neurons."""
    pixels = small_data()[0].chosen(slice(300))
    return pixels, train(pixels, replace(SMALL, hidden=16, epochs=3), seed=1)


@pytest.mark.usefixtures("cadical_alone", "counterexamples_as_found")
def test_netlist_and_module_are_equal_on_all_inputs_and_faults_are_refuted(few):
    netlist, module = exported(few[1].network())
    assert spikeproof.check(netlist, module, timeout=60).outcome is spikeproof.Outcome.PROVED
    *before, last = netlist.neurons  # what counts the comparisons that the last class wins
    (source, weight), *others = last.synapses
    for fault in (
        replace(last, threshold=last.threshold - 1),
        replace(last, synapses=((source, -weight), *others)),
    ):
        found = spikeproof.check(replace(netlist, neurons=(*before, fault)), module, timeout=60)
        assert found.outcome is spikeproof.Outcome.REFUTED


def test_normalisation_becomes_thresholds(few):
    pixels, model = few
    bits = pixels.images().inputs[:, 0]
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


def ended(patch, *arguments):
    """The exit code of a run, that compares netlist and module with nothing: the first one has."""
    patch.setattr(superconducting_digits, "compare", lambda *_: None)
    patch.setattr(sys, "argv", ["x", *map(str, arguments)])
    try:
        main()
    except SystemExit as error:
        return error.code
    return 0


def test_a_refused_certificate_is_named_and_not_green(kept, tmp_path, capsys, monkeypatch):
    header, *records = map(json.loads, (kept[0] / "s.jsonl").read_text().splitlines())
    record = next(record for record in records if record.get("spread"))
    record.update(spread="1/2", beyond="1001/2000")
    file = tmp_path / "s.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in (header, *records)))
    code = ended(monkeypatch, "--images", IMAGES, "--model", kept[0] / "m.npz", "--spread", file)
    said = capsys.readouterr().out
    assert code == 1
    assert f"refused: image {record['image']}: " in said
    assert f"certificates: 1 of {IMAGES} refused" in said
    assert "1/2" not in said.split("deviations below")[1]


def test_bad_input_is_one_line(kept, tmp_path, capsys, monkeypatch):
    model, text = kept[0] / "m.npz", tmp_path / "text"
    text.write_text("no network\n")
    mnist = tmp_path / "mnist"
    mnist.mkdir()
    for names, shape in zip(IDX_NAMES.values(), ((2, 3, 3), (2, 3, 3)), strict=True):
        for name, sizes in zip(names, (shape, shape[:1]), strict=True):
            head = bytes([0, 0, 8, len(sizes)]) + b"".join(n.to_bytes(4, "big") for n in sizes)
            (mnist / name).write_bytes(head + bytes(int(np.prod(sizes))))
    for arguments, said in [
        (("--model", model, "--data", mnist), f"sees 64 inputs, the images of {mnist} have 9; name"),
        (("--model", model, "--data", tmp_path), "has no t10k-images-idx3-ubyte"),
        (("--model", text), "no file of a network"),
        (("--model", model, "--spread", tmp_path / "none" / "s.jsonl"), "cannot write"),
        (("--model", model, "--spread", text), "no file of certificates"),
        (("--model", model, "--spread", kept[0] / "s.jsonl"), "is about other images"),
    ]:
        assert ended(monkeypatch, *arguments) == 2
        found = capsys.readouterr().err
        assert said in found
        assert len(found.splitlines()) == 1
