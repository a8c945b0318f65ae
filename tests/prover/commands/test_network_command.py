"""``spikeproof network``: files that can be gone on with, exit codes, and what is refused."""

import json
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from itertools import combinations, pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from spikeproof.circuits.doors.images import Images, digit_pixels, read_images, write_images
from spikeproof.circuits.doors.networks import NetworkFile, write_network
from spikeproof.prover.discovery import robustness
from spikeproof.prover.discovery.changed_spikes import SpikeSearcher
from spikeproof.prover.evidence import distances
from spikeproof.prover.margins.relaxing_networks import SLIVER, Change
from spikeproof.prover.report.decisions import joined
from spikeproof.prover.running.cluster import ClusterError
from spikeproof.prover.running.image_records import complete, header_about
from spikeproof.specs import codings
from spikeproof.specs.networks import (
    USUAL_ORDER,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    Readout,
    Score,
    run,
)
from tests.support.command_line import spikeproof, spikeproof_here
from tests.support.networks import COUNTS, POTENTIALS, changed, decided, drawn_network, layer, nearest

COUNT, FLIPS = 12, 3
SEED = 14
"""Of a network and images that need 1, 2, 3 and more bits, some with trees."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network, images, and their certificates."""
    folder = tmp_path_factory.mktemp("network")
    random = np.random.default_rng(SEED)
    network = drawn_network(random, (12, 9, 3))
    write_network(network, folder / "model.npz")
    inputs = random.random((COUNT, 1, 12)) < 0.5
    labels = np.array([decided(network, image) for image in inputs])
    labels[0] = (labels[0] + 1) % 3
    write_images(Images(inputs, labels), folder / "images.npz")
    ran = robust(folder, folder / "robustness.jsonl", "--jobs", 2, "--plot", folder / "plot.svg")
    assert ran.returncode == 0, ran.stderr
    (folder / "printed").write_text(ran.stdout)
    return folder


def robust(folder, file, *more):
    paths = folder / "model.npz", folder / "images.npz"
    return spikeproof("network", "robustness", *paths, "--flips", FLIPS, "--file", file, *more)


def verified(folder, file, model="model.npz", images="images.npz"):
    return spikeproof("network", "verify", file, folder / model, folder / images, "--jobs", 1)


def lines_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def without_order(file):
    first, *records, last = file.read_text().splitlines()
    return first, sorted(records), last


def test_the_file_has_a_record_of_each_image_that_brute_force_confirms(folder):
    header, *records, last = lines_of(folder / "robustness.jsonl")
    assert (header["count"], header["flips"]) == (COUNT, FLIPS)
    assert sorted(record["image"] for record in records) == list(range(COUNT))
    assert last["summary"] == {"decided": COUNT, "radii": {"0": 1, "1": 2, "2": 2, "3": 7}}
    with np.load(folder / "images.npz") as archive:
        inputs = archive["inputs"]
    network = drawn_network(np.random.default_rng(SEED), (12, 9, 3))
    for record in records:
        image = inputs[record["image"]]
        witness = nearest(network, image, FLIPS)
        assert record["radius"] == (FLIPS if witness is None else len(witness) - 1)
        if witness is not None:
            assert decided(network, changed(image, record["witness"])) != record["class"]


def test_a_cluster_writes_the_records_that_processes_write(folder):
    pytest.importorskip("distributed", reason="Dask needs Python 3.11")
    file = folder / "together.jsonl"
    ran = robust(folder, file, "--cluster", "local", "--jobs", 1)
    assert ran.returncode == 0, ran.stderr
    assert without_order(file) == without_order(folder / "robustness.jsonl")


@pytest.mark.parametrize("lie", [{"image": 1}, {"radius": FLIPS + 1}, {"class": 99}, {"tree": "no"}])
def test_what_a_worker_says_of_an_image_is_not_believed(folder, lie):
    class Lying:
        def results(self, work, tasks, lost):
            yield 0, work(*tasks[0]) | lie

    model = NetworkFile(folder / "model.npz")
    images = read_images(folder / "images.npz")
    header = header_about(distances.Header, model.read(), images, FLIPS, distances.FLIPS)
    kept = SimpleNamespace(header=header, records={}, add=pytest.fail)
    with pytest.raises(ClusterError, match="a worker sent of image 0 does not hold"):
        complete(kept, model, images, 60.0, 1, lambda: None, Lying())


def test_the_table_says_what_is_certain_and_what_is_right(folder):
    printed = (folder / "printed").read_text()
    records = lines_of(folder / "robustness.jsonl")[1:-1]
    for bits in range(FLIPS + 1):
        kept = [record["image"] for record in records if record["radius"] >= bits]
        right = [image for image in kept if image != 0]
        row = next(line.split() for line in printed.splitlines() if line.split()[:1] == [str(bits)])
        assert row[1::2] == [
            f"{100 * n / COUNT:.2f}" for n in (len(kept), len(right), COUNT - len(kept), 0)
        ]
    assert all(len(line) <= 80 for line in printed.splitlines()[: FLIPS + 2])
    assert "certain, and right" in (folder / "plot.svg").read_text()


def test_what_was_written_is_verified(folder):
    ended = verified(folder, folder / "robustness.jsonl")
    assert ended.returncode == 0
    assert f"{COUNT} of {COUNT} images verified, 0 refused, 0 undecided" in ended.stdout


@pytest.mark.parametrize("kept", [0, 1, 2.5, 7, 11.9])
def test_who_was_killed_goes_on(folder, tmp_path, kept):
    """With so many records whole, and perhaps a part of another."""
    lines = (folder / "robustness.jsonl").read_text().splitlines(keepends=True)
    whole = int(kept)
    part = lines[1 + whole][: round((kept - whole) * len(lines[1 + whole]))]
    file = tmp_path / "begun.jsonl"
    file.write_text("".join(lines[: 1 + whole]) + part)
    ended = robust(folder, file, "--jobs", 1)
    assert ended.returncode == 0
    assert ("continued" in ended.stderr) == (whole > 0)
    assert without_order(file) == without_order(folder / "robustness.jsonl")


def test_a_file_that_is_whole_is_not_computed_again(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(robustness.Searcher, "distance", None)
    file = tmp_path / "whole.jsonl"
    file.write_text((folder / "robustness.jsonl").read_text())
    paths = folder / "model.npz", folder / "images.npz"
    ended = spikeproof_here(capsys, "network", "robustness", *paths, "--flips", FLIPS, "--file", file)
    assert ended.returncode == 0
    assert without_order(file) == without_order(folder / "robustness.jsonl")


def test_what_is_undecided_is_not_green_and_is_tried_again(folder, tmp_path):
    file = tmp_path / "late.jsonl"
    ended = robust(folder, file, "--timeout", 1e-9, "--jobs", 1)
    assert ended.returncode == 3
    assert f"{COUNT} undecided" in ended.stdout
    assert (
        f"{COUNT} images verified, 0 refused, {COUNT} undecided"
        in (late := verified(folder, file)).stdout
    )
    assert late.returncode == 3
    assert robust(folder, file, "--jobs", 1).returncode == 0
    assert verified(folder, file).returncode == 0


def test_a_file_that_is_not_whole_holds_but_is_undecided(folder, tmp_path):
    file = tmp_path / "begun.jsonl"
    lines = (folder / "robustness.jsonl").read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:5]))
    ended = verified(folder, file)
    assert ended.returncode == 3
    assert f"4 of {COUNT} images verified, 0 refused, {COUNT - 4} undecided" in ended.stdout
    missing = set(range(COUNT)) - {json.loads(line)["image"] for line in lines[1:5]}
    assert f"image {min(missing)} has no record, nor have {COUNT - 5} others" in ended.stdout
    file.write_text("".join(lines[:5]) + lines[3] + lines[5][:20])
    ended = verified(folder, file)
    assert ended.returncode == 3
    number = json.loads(lines[3])["image"]
    assert f"image {number} has another record in line 6, which counts" in ended.stdout
    assert "the last line is not whole" in ended.stdout
    file.write_text("".join(lines[:5]) + "[" * 200_000 + "\n")
    ended = verified(folder, file)
    assert ended.returncode == 1
    assert "refused: line 6: no record of an image" in ended.stdout


def tampered(folder, file, place, change):
    lines = lines_of(folder / "robustness.jsonl")
    change(lines[place])
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        (1, lambda record: record.update(radius=record["radius"] + 1), "refused: image"),
        (1, lambda record: record.update({"class": 7}), "refused: image"),
        (1, lambda record: record.update(tree=3), "refused: image"),
        (1, lambda record: record.pop("witness"), "line 2: no record of an image"),
        (1, lambda record: record.update(image=COUNT), "line 2: no record of an image"),
        (1, lambda record: record.update(image=1.0), "line 2: no record of an image"),
        (-1, lambda last: last["summary"].update(decided=COUNT + 1), "summary does not follow"),
        (0, lambda header: header.update(network="0" * 64), "is about another network"),
        (
            0,
            lambda header: header.update(images="0" * 64),
            "otherwise (--first, --last, --coding, --level)",
        ),
        (0, lambda header: header.update(flips=1), "refused: image"),
    ],
)
def test_what_was_tampered_with_is_refused(folder, tmp_path, place, change, said):
    file = tmp_path / "tampered.jsonl"
    tampered(folder, file, place, change)
    ended = verified(folder, file)
    assert ended.returncode == 1
    assert "refused: " in ended.stdout
    assert said in ended.stdout
    if said.endswith("--level)"):
        assert f"0 of {COUNT} images verified, {COUNT} refused, 0 undecided" in ended.stdout
    if said == "refused: image" and place:
        assert f"{COUNT - 1} of {COUNT} images verified, 1 refused, 0 undecided" in ended.stdout
        assert "summary" not in ended.stdout


def test_other_networks_and_images_are_refused(folder, tmp_path):
    network = drawn_network(np.random.default_rng(2), (12, 9, 3))
    write_network(network, folder / "other.npz")
    write_images(Images(np.zeros((COUNT, 1, 12), bool), np.zeros(COUNT, np.int64)), folder / "black.npz")
    file = folder / "robustness.jsonl"
    assert verified(folder, file, model="other.npz").returncode == 1
    assert verified(folder, file, images="black.npz").returncode == 1
    kept = tmp_path / "kept.jsonl"
    kept.write_text(file.read_text())
    paths = folder / "other.npz", folder / "images.npz"
    ended = spikeproof("network", "robustness", *paths, "--flips", FLIPS, "--file", kept)
    assert ended.returncode == 2
    assert "is about another network; name another file" in ended.stderr
    paths = folder / "model.npz", folder / "images.npz"
    ended = spikeproof("network", "robustness", *paths, "--flips", 1, "--file", kept)
    assert "is about another number of bits" in ended.stderr
    assert kept.read_text() == file.read_text()


@pytest.mark.parametrize(
    ("readout", "seed", "found"),
    [(COUNTS, 5, [1, 2, 2, 3]), (POTENTIALS, 2, [0, 1, 2, 3])],
    ids=["count", "potential"],
)
def test_networks_over_time(tmp_path, readout, seed, found):
    """By trying all, or by tables of two changes, and trying all three."""
    random = np.random.default_rng(seed)
    dynamics = Dynamics(Fraction(7, 8), AfterSpike.ZERO, ("leak", "add", "fire", "reset"), strict=True)
    layers = (
        layer(random.integers(-3, 4, (6, 5)), [2] * 6, dynamics=dynamics),
        layer(random.integers(-3, 4, (3, 6)), [1] * 3 if readout is COUNTS else None, dynamics=dynamics),
    )
    network = Network(layers, 3, readout)
    inputs = random.random((4, 3, 5)) < 0.5
    write_network(network, tmp_path / "model.npz")
    write_images(Images(inputs, np.zeros(4, np.int64)), tmp_path / "images.npz")
    file = tmp_path / "robustness.jsonl"
    assert robust(tmp_path, file, "--jobs", 1).returncode == 0
    assert verified(tmp_path, file).returncode == 0
    radii = []
    for record in lines_of(file)[1:-1]:
        image = inputs[record["image"]]
        own = run(network, image.astype(int)).decision
        least = next(
            (
                size
                for size in range(1, FLIPS + 1)
                for spikes in combinations(range(15), size)
                if run(network, changed(image, spikes).reshape(3, 5).astype(int)).decision != own
            ),
            FLIPS + 1,
        )
        radii.append(least - 1)
        assert (record["class"], record["radius"]) == (own, least - 1)
    assert sorted(radii) == found
    tampered_file = tmp_path / "tampered.jsonl"
    lines = lines_of(file)
    lines[1]["radius"], lines[1]["witness"] = FLIPS, None
    tampered_file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert verified(tmp_path, tampered_file).returncode == 1
    late = robust(tmp_path, tmp_path / "late.jsonl", "--timeout", 1e-9, "--jobs", 1)
    assert late.returncode == 3


def test_spikes_that_move(tmp_path, capsys):
    """Two steps or fewer, and no file of the other kind is gone on with."""
    random = np.random.default_rng(3)
    dynamics = Dynamics(Fraction(1), AfterSpike.ZERO, USUAL_ORDER, strict=False)
    layers = (
        layer(random.integers(-3, 4, (6, 4)), [2] * 6, dynamics=dynamics),
        layer(random.integers(-3, 4, (3, 6)), dynamics=dynamics),
    )
    write_network(Network(layers, 4, POTENTIALS), tmp_path / "model.npz")
    write_images(Images(random.random((5, 4, 4)) < 0.4, np.zeros(5, np.int64)), tmp_path / "images.npz")
    file = tmp_path / "shifts.jsonl"
    paths = tmp_path / "model.npz", tmp_path / "images.npz"
    options = "--file", file, "--jobs", 1
    ran = spikeproof_here(capsys, "network", "robustness", *paths, "--shifts", 2, *options)
    assert ran.returncode == 0
    assert "steps that spikes may move" in ran.stdout
    assert lines_of(file)[0]["changes"] == "shifts"
    assert len({record["radius"] for record in lines_of(file)[1:-1]}) > 1
    assert verified(tmp_path, file).returncode == 0
    ran = spikeproof_here(capsys, "network", "robustness", *paths, "--flips", 2, *options)
    assert "is about another kind of change" in ran.stderr
    for both in ((), ("--flips", 1, "--shifts", 1)):
        ran = spikeproof_here(capsys, "network", "robustness", *paths, *both, *options)
        assert (ran.returncode, "use one of --flips and --shifts" in ran.stderr) == (2, True)


@pytest.fixture
def hardly_fires(tmp_path):
    """A folder of a network and an image: its neuron passes its threshold by 2^-58, and fires for that.

    With a leak of p/q, 3p = q + 1, it ends at 9 p^2/q^2 - 6 p/q + 2 = 1 + 1/q^2, and the search rounds
    down to multiples of 2^-54.
    """
    q = (1 << 29) + 3
    dynamics = Dynamics(Fraction((q + 1) // 3, q), AfterSpike.NOTHING, USUAL_ORDER, strict=False)
    layers = layer([[9, -6, 2]], [1], dynamics=dynamics), layer([[1], [0]], bias=[-1, 0])
    network, image = Network(layers, 3, POTENTIALS), np.eye(3, dtype=bool)
    assert [run(network, changed(image, spike).reshape(3, 3)).decision for spike in ([], [0])] == [0, 1]
    assert SpikeSearcher(network, 1).distance(image, 60).radius == 1
    write_network(network, tmp_path / "model.npz")
    write_images(Images(image[None], np.zeros(1, np.int64)), tmp_path / "images.npz")
    return tmp_path


def test_what_the_search_rounds_away_is_found_by_trying_all(hardly_fires):
    file = hardly_fires / "robustness.jsonl"
    assert robust(hardly_fires, file, "--jobs", 1).returncode == 0
    _, record, _ = lines_of(file)
    assert (record["radius"], record["witness"]) == (0, [0])
    assert verified(hardly_fires, file).returncode == 0


def test_what_the_check_refuses_is_undecided_if_time_is_up(hardly_fires, monkeypatch, capsys):
    file = hardly_fires / "robustness.jsonl"
    searched = SpikeSearcher.distance
    monkeypatch.setattr(SpikeSearcher, "distance", lambda self, image, _: searched(self, image, 60))
    arguments = hardly_fires / "model.npz", hardly_fires / "images.npz", "--file", file
    ran = spikeproof_here(
        capsys, "network", "robustness", *arguments, "--flips", 1, "--timeout", 1e-9, "--jobs", 1
    )
    assert ran.returncode == 3
    _, record, *_ = lines_of(file)
    assert (record["radius"], record["witness"]) == (0, None)


def test_bad_input_is_one_line(folder, tmp_path):
    text = tmp_path / "text.jsonl"
    text.write_text("certificates\n")
    write_images(Images(np.zeros((2, 1, 5), bool), np.zeros(2, np.int64)), tmp_path / "small.npz")
    write_images(Images(np.zeros((2, 1, 12), bool), np.array([0, 3])), tmp_path / "labels.npz")
    odd = Dynamics(Fraction(1), AfterSpike.NOTHING, ("leak", "fire", "add", "reset"), strict=False)
    write_network(
        Network((layer([[1] * 12] * 3, [1] * 3, dynamics=odd),), 1, COUNTS), tmp_path / "odd.npz"
    )
    model, images = folder / "model.npz", folder / "images.npz"
    flips = "--flips", 1, "--file"
    for arguments, said in [
        (("robustness", model, images, *flips, text), "no file of certificates"),
        (("robustness", model, tmp_path / "none.npz", *flips, tmp_path / "x"), "No such file"),
        (("robustness", images, images, *flips, tmp_path / "x"), "no file of a network"),
        (
            ("robustness", model, tmp_path / "small.npz", *flips, tmp_path / "x"),
            "small.npz: an image has 5 bits in 1 step, and",
        ),
        (("robustness", tmp_path / "odd.npz", images, *flips, tmp_path / "x"), "in this order"),
        (("robustness", model, images, *flips, tmp_path), "directory"),
        (
            ("robustness", model, tmp_path / "labels.npz", *flips, tmp_path / "x"),
            "labels.npz: image 1 is of",
        ),
        (
            ("robustness", model, images, "--flips", 13, "--file", tmp_path / "x"),
            "has 12 bits, of which",
        ),
        (("robustness", model, images, *flips, tmp_path / "x", "--first", 1, "--last", 1), "use one of"),
        (("verify", text, model, images), "no file of certificates"),
    ]:
        ended = spikeproof("network", *arguments)
        assert ended.returncode == 2
        assert said in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "x").exists()


@pytest.fixture(scope="module")
def leaky(tmp_path_factory):
    """A network of leaky neurons, and what it is given."""
    folder = tmp_path_factory.mktemp("leaky")
    random = np.random.default_rng(SEED)
    dynamics = Dynamics(Fraction(3, 4), AfterSpike.ZERO, USUAL_ORDER, strict=False)
    hidden, outputs = (
        Layer(
            random.integers(-3, 8, shape),
            np.zeros(shape[0], np.int64),
            random.integers(4, 9, shape[0]),
            dynamics,
        )
        for shape in ((6, 4), (3, 6))
    )
    write_network(Network((hidden, outputs), 8, Readout(Score.COUNT, 2)), folder / "model.npz")
    inputs = random.random((10, 8, 4)) < 0.4
    write_images(Images(inputs, np.arange(10) % 3), folder / "images.npz")
    write_images(Images(inputs[:, :5], np.arange(10) % 3), folder / "short.npz")
    return folder


def test_moments_are_shown_and_kept(capsys, leaky):
    file = leaky / "moments.npz"
    ran = spikeproof_here(
        capsys, "network", "early", leaky / "model.npz", leaky / "images.npz", "--file", file
    )
    assert ran.returncode == 0
    assert "10 inputs, the earliest moment exactly for " in ran.stdout
    with np.load(file) as kept:
        assert kept["final"].shape == kept["open"].shape == (10,)
        assert (kept["open"] < kept["final"]).all()
        assert len(kept["continuations"]) == (kept["open"] > 0).sum()
    other = leaky / "short.npz"
    ran = spikeproof_here(
        capsys, "network", "early", leaky / "model.npz", leaky / "images.npz", "--from", other
    )
    assert ran.returncode == 2
    assert "continuations are made of inputs of shape (any, 8, 4)" in ran.stderr
    written = file.read_bytes()
    asked = "network", "early", leaky / "model.npz", leaky / "images.npz", "--last", "2", "--file"
    ran = spikeproof_here(capsys, *asked, file)
    assert ran.returncode == 0
    assert "2 inputs" in ran.stdout
    with np.load(file) as kept, np.load(BytesIO(written)) as before:
        assert kept["final"].tolist() == before["final"][-2:].tolist()
    for other in (leaky / "model.npz", leaky / "images.npz"):
        whole = other.read_bytes()
        ran = spikeproof_here(capsys, *asked, other)
        assert ran.returncode == 2
        assert "is no archive of moments" in ran.stderr
        assert other.read_bytes() == whole


def test_relaxation_times_that_change_a_class_are_named(capsys, leaky):
    asked = "network", "relaxation", leaky / "model.npz", leaky / "images.npz", "--step"
    ran = spikeproof_here(capsys, *asked, "60")
    assert ran.returncode == 1
    assert "10 inputs: " in ran.stdout
    assert "tau in ns" in ran.stdout
    assert "becomes" in ran.stdout
    assert "keeps 3/4 in a step of 60 ns: a relaxation time of 208.6 ns" in ran.stdout
    assert all(len(line) <= 80 for line in ran.stdout.splitlines())
    for step, time in (("40", "139.0"), ("100000", "347605.9")):
        other = spikeproof_here(capsys, *asked, step)
        assert other.returncode == 2
        assert f"a relaxation time of {time} ns; the range is 159 to 278 ns" in other.stderr
    wrong = spikeproof_here(capsys, *asked, "-1")
    assert wrong.returncode == 2
    assert "no time in ns" in wrong.stderr


@pytest.mark.parametrize(
    ("leak", "steps", "said"),
    [(0, 8, "keeps nothing"), (1, 8, "keeps all"), (Fraction(3, 4), 1, "sees one step")],
)
def test_neurons_that_do_not_relax_are_refused(capsys, tmp_path, leak, steps, said):
    dynamics = Dynamics(Fraction(leak), AfterSpike.ZERO, USUAL_ORDER, strict=False)
    made = Network((layer([[1], [2]], [1, 1], dynamics=dynamics),), steps, Readout(Score.COUNT))
    write_network(made, tmp_path / "m.npz")
    write_images(Images(np.ones((1, steps, 1), bool), np.zeros(1, np.int64)), tmp_path / "i.npz")
    asked = "network", "relaxation", tmp_path / "m.npz", tmp_path / "i.npz", "--step", "60"
    ran = spikeproof_here(capsys, *asked)
    assert ran.returncode == 2
    assert said in ran.stderr


def test_neighbouring_shares_of_the_same_change_are_one_row():
    half, sliver = Fraction(1, 2), Fraction(SLIVER)
    first = Change(0, 0, 1, half - Fraction(1, 10), half, 2, True)
    between = replace(first, low=half, high=half + sliver, certain=False)
    then = replace(first, low=half + sliver, high=Fraction(3, 4))
    apart = replace(first, low=Fraction(4, 5), high=Fraction(5, 6))
    wide = replace(first, low=Fraction(5, 6), high=Fraction(6, 7), certain=False)
    other = replace(first, decision=1)
    whole = replace(first, high=then.high)
    assert joined([then, apart, wide, other, first, between]) == [other, whole, apart, wide]


@pytest.fixture(scope="module")
def spread_folder(folder):
    """The network and images, with files of spreads and yields."""
    for name, more in (("spread", ()), ("yield", ("--deviation", "1%"))):
        paths = folder / "model.npz", folder / "images.npz"
        ran = spikeproof("network", name, *paths, "--file", folder / f"{name}.jsonl", "--jobs", 2, *more)
        assert ran.returncode == 0, ran.stderr
        (folder / f"{name}.txt").write_text(ran.stdout)
    return folder


def test_spreads_and_yields_are_shown_kept_and_verified(spread_folder, capsys):
    for name, words in (("spread", "half bear"), ("yield", "deviation 1/100: an image is right on")):
        file = spread_folder / f"{name}.jsonl"
        header, *records, last = lines_of(file)
        assert header["schema"] == f"spikeproof-{name}-1"
        assert sorted(record["image"] for record in records) == list(range(COUNT))
        assert last["summary"] == {"decided": COUNT}
        printed = (spread_folder / f"{name}.txt").read_text()
        assert words in printed
        assert f"{COUNT} images, 0 undecided; certificates: {file}" in printed
        model, images = spread_folder / "model.npz", spread_folder / "images.npz"
        ran = spikeproof_here(capsys, "network", "verify", file, model, images, "--jobs", 1)
        assert ran.returncode == 0
        assert f"{COUNT} of {COUNT} images verified, 0 refused, 0 undecided" in ran.stdout
        assert words in ran.stdout
        table = [line for line in printed.splitlines() if line.endswith("%")]
        assert table == [line for line in ran.stdout.splitlines() if line.endswith("%")]


def test_a_file_of_spreads_is_gone_on_with_and_drawn(spread_folder, tmp_path, capsys):
    whole = (spread_folder / "spread.jsonl").read_text()
    lines = whole.splitlines(keepends=True)
    file, plot = tmp_path / "begun.jsonl", tmp_path / "plot.svg"
    file.write_text("".join(lines[:5]) + lines[5][:11])
    asked = "network", "spread", spread_folder / "model.npz", spread_folder / "images.npz", "--file"
    ran = spikeproof_here(capsys, *asked, file, "--jobs", 1, "--plot", plot)
    assert ran.returncode == 0
    assert f"continued: 4 of {COUNT} images" in ran.stderr
    assert without_order(file) == without_order(spread_folder / "spread.jsonl")
    assert "% of images right on all devices" in plot.read_text()
    ran = spikeproof_here(capsys, *asked, spread_folder / "yield.jsonl")
    assert ran.returncode == 2
    assert "no file of certificates (spikeproof-spread-1)" in ran.stderr


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("spread", {"spread": "1/2", "beyond": "1001/2000"}, "refused: image"),
        ("spread", {"spread": "1" * 40}, "no record of an image"),
        ("spread", {"spikes": "zz"}, "refused: image"),
        ("spread", {"class": 9}, "refused: image"),
        ("yield", {"least": "1"}, "refused: image"),
        ("yield", {"least": 1}, "no record of an image"),
        ("yield", {"free": list(range(9))}, "refused: image"),
        ("yield", {"free": ["0"]}, "refused: image"),
    ],
)
def test_tampered_spreads_and_yields_are_refused(spread_folder, tmp_path, capsys, name, change, said):
    lines = lines_of(spread_folder / f"{name}.jsonl")
    record = next(
        line for line in lines[1:-1] if line.get("spread", line.get("least")) not in (None, "0")
    )
    record.update(change)
    file = tmp_path / "tampered.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    model, images = spread_folder / "model.npz", spread_folder / "images.npz"
    ran = spikeproof_here(capsys, "network", "verify", file, model, images, "--jobs", 1)
    assert ran.returncode == 1
    assert "refused: " in ran.stdout
    assert said in ran.stdout
    assert f"{COUNT - 1} of {COUNT} images verified" in ran.stdout


def test_no_moment_is_of_potentials(folder, capsys):
    ran = spikeproof_here(capsys, "network", "early", folder / "model.npz", folder / "images.npz")
    assert ran.returncode == 2
    assert "model.npz: it decides by potentials" in ran.stderr
    assert "read it out by count or latch" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_what_has_no_spread_or_yield_is_refused_in_a_line(spread_folder, leaky, tmp_path, capsys):
    model, images, file = spread_folder / "model.npz", spread_folder / "images.npz", tmp_path / "x"
    of_time = leaky / "model.npz", leaky / "images.npz"
    for arguments, said in [
        (("spread", *of_time), "model.npz: "),
        (("spread", *of_time), "use a network of a hidden layer and outputs, in one step, read out by"),
        (("yield", *of_time, "--deviation", "1%"), "model.npz: "),
        (("yield", model, images, "--deviation", "2"), "no share from above 0 to below 1"),
        (("yield", model, images, "--deviation", "0%"), "no share"),
        (("yield", model, images, "--deviation", "1/0"), "no share"),
        (("spread", model, images, "--plot", "x.txt"), "end its name in"),
    ]:
        ran = spikeproof_here(capsys, "network", *arguments, "--file", file)
        assert ran.returncode == 2
        assert said in ran.stderr
        assert len(ran.stderr.splitlines()) == 1
        assert not file.exists()
    kept = tmp_path / "kept.jsonl"
    kept.write_text((spread_folder / "yield.jsonl").read_text())
    asked = "network", "yield", model, images, "--deviation", "0.02", "--file", kept
    ran = spikeproof_here(capsys, *asked)
    assert ran.returncode == 2
    assert "is about another deviation; name another file" in ran.stderr


def test_images_over_time(tmp_path, capsys):
    """The digits of scikit-learn, for a network that sees 64 pixels in four steps."""
    random = np.random.default_rng(1)
    dynamics = Dynamics(Fraction(1, 2), AfterSpike.ZERO, USUAL_ORDER, strict=False)
    made = Network((layer(random.integers(-3, 4, (3, 64)), [2] * 3, dynamics=dynamics),), 4, COUNTS)
    write_network(made, tmp_path / "m.npz")
    # Labels of digits are 0 to 9, so ask of those of classes that the network has.
    pixels = digit_pixels()
    few = pixels.chosen(np.flatnonzero(pixels.labels < 3)[:4])
    np.savez(tmp_path / "p.npz", pixels=few.values, labels=few.labels, largest=16)
    for coding, spikes in (
        ("latency:4", codings.latency),
        ("rate:4:9", codings.rate),
        ("even:4", codings.even),
    ):
        file = tmp_path / f"{coding}.jsonl"
        asked = tmp_path / "m.npz", tmp_path / "p.npz", "--coding", coding
        more = "--flips", 1, "--file", file, "--jobs", 1
        assert spikeproof_here(capsys, "network", "robustness", *asked, *more).returncode == 0
        assert spikeproof_here(capsys, "network", "verify", file, *asked, "--jobs", 1).returncode == 0
        seed = (9,) if spikes is codings.rate else ()
        for record in lines_of(file)[1:-1]:
            image = few.values[record["image"]].ravel().tolist()
            shown = np.array(spikes(image, 16, 4, *seed), int)
            assert run(made, shown).decision == record["class"]
        wrong = tmp_path / "m.npz", tmp_path / "p.npz", "--coding", coding.replace("4", "5")
        ran = spikeproof_here(capsys, "network", "verify", file, *wrong)
        assert ran.returncode == 2
        assert "64 bits in 5 steps, and" in ran.stderr
    asked = "network", "robustness", tmp_path / "m.npz", tmp_path / "p.npz", "--flips", 1
    for more, said in [
        (("--coding", "rate:4"), "Invalid value for '--coding': 'rate:4' is no coding; use rows"),
        (("--coding", "latency:4", "--level", 3), "leave it out with --coding"),
        ((), "no archive with inputs and labels"),
    ]:
        ran = spikeproof_here(capsys, *asked, "--file", tmp_path / "x", *more)
        assert ran.returncode == 2
        assert said in ran.stderr
        assert len(ran.stderr.splitlines()) == 1


def test_graphs_of_nir_are_networks_as_stated(tmp_path, capsys):
    nir = pytest.importorskip("nir", reason="needs nir: pip install '.[nir]'")
    random = np.random.default_rng(2)
    nodes = {
        "in": nir.Input(np.array([6])),
        "to": nir.Linear(random.integers(-3, 4, (4, 6)) / 2),
        "hidden": nir.IF(r=np.full(4, 1e4), v_threshold=np.ones(4), v_reset=np.zeros(4)),
        "from": nir.Linear(random.integers(-3, 4, (3, 4)) / 2),
        "last": nir.IF(r=np.full(3, 1e4), v_threshold=np.ones(3), v_reset=np.zeros(3)),
        "out": nir.Output(np.array([3])),
    }
    nir.write(tmp_path / "g.nir", nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False))
    inputs = random.random((3, 2, 6)) < 0.5
    write_images(Images(inputs, np.zeros(3, np.int64)), tmp_path / "i.npz")
    asked = "network", "robustness", tmp_path / "g.nir", tmp_path / "i.npz", "--flips", 1
    stated = "--as", "spikingjelly,steps=2,arithmetic=exact", "--read-out", "count"
    file = tmp_path / "r.jsonl"
    ran = spikeproof_here(capsys, *asked, *stated, "--file", file, "--jobs", 1)
    assert ran.returncode == 0
    verify = "network", "verify", file, tmp_path / "g.nir", tmp_path / "i.npz", "--jobs", 1
    assert spikeproof_here(capsys, *verify, *stated).returncode == 0
    other = "--as", "spikingjelly,steps=2,arithmetic=exact,strict=yes", "--read-out", "count"
    ran = spikeproof_here(capsys, *verify, *other)
    assert ran.returncode == 1
    assert "is about another network" in ran.stdout
    for more, said in [
        ((), "state how to read it"),
        (stated[:2], "NIR states no read-out; state what is read out (--read-out count"),
        (stated[2:], "reset; state how to read it (--as snntorch"),
        ((*stated[:2], "--read-out", "spikes"), "use count, latch:LEAD or potential"),
        (("--as", "spikingjelly,steps=2", *stated[2:]), "state arithmetic=exact"),
        (("--as", "spikingjelly,steps=3,arithmetic=exact", *stated[2:]), "and g.nir sees"),
    ]:
        ran = spikeproof_here(capsys, *asked, "--file", tmp_path / "x", *more)
        assert ran.returncode == 2
        assert said in ran.stderr.replace(f"{tmp_path}/", "")
        assert len(ran.stderr.splitlines()) == 1
    write_network(drawn_network(random, (6, 4, 3)), tmp_path / "m.npz")
    ran = spikeproof_here(capsys, "network", "early", tmp_path / "m.npz", tmp_path / "i.npz", *stated)
    assert ran.returncode == 2
    assert "only a graph of NIR needs a reading" in ran.stderr
