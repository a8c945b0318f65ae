"""Annotations are kept with the record, checked as if the circuit had them, and believed in nothing."""

import json
from dataclasses import replace

import pytest

from spikeproof.circuits.netlist import Block
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.record import Certificate
from spikeproof.prover.kernel.annotation import Annotations
from spikeproof.prover.running import discharge as discharge_module
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.inquiry import Keeping
from tests.support.unlabelled import unlabelled

NAME = "fp8_e5m2.multiply.rne"


@pytest.fixture(scope="module")
def circuit():
    return unlabelled(theorem(NAME).circuit(), seed=5, keep_cells=True)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return Archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def record(circuit, archive):
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discharge_module, "TABLE_BITS", 0)  # no input is evaluated first
        found = discharge(theorem(NAME), 60, circuit, keeping=Keeping(archive), told=told.append)
    assert found.outcome is Outcome.PROVED
    assert told == [stage.name for stage in found.strategy.stages]
    return found


@pytest.fixture
def annotations(record, archive):
    return Annotations.read(archive.content(record.strategy.annotations))


def refusal(record, archive, circuit):
    return Verifier(archive, circuit=circuit).verify(record).refusal


def with_annotations(record, archive, annotations):
    """The record with others, which the archive has."""
    return with_content(record, archive, annotations.content)


def with_content(record, archive, content):
    kept = archive.keep("annotations", content)
    return replace(record, strategy=replace(record.strategy, annotations=kept))


def test_a_circuit_without_probes_is_proved_by_lemmas_and_verified(record, archive, circuit):
    assert record.composed
    assert record.circuit_sha256 == record.netlist.sha256 == circuit.sha256
    assert [stage.name for stage in record.strategy.stages][-2:] == [
        "cuts by signature",
        "lemmas at these cuts",
    ]
    assert refusal(record, archive, circuit) == ""


def test_annotations_are_among_what_a_log_has_to_keep(record):
    assert record.strategy.annotations in record.certificates


def test_without_annotations_the_lemmas_are_none_of_the_theorem(record, archive, circuit):
    bare = replace(record, strategy=replace(record.strategy, annotations=None))
    assert "has no probe" in refusal(bare, archive, circuit)


def test_annotations_that_are_missing_are_missed(record, archive, circuit):
    lost = Certificate.of("annotations", b"lost")
    changed = replace(record, strategy=replace(record.strategy, annotations=lost))
    assert "is missing" in refusal(changed, archive, circuit)


def test_annotations_of_another_circuit_are_refused(record, archive, circuit, annotations):
    other = unlabelled(theorem(NAME).circuit(), seed=6, keep_cells=True)
    assert other.sha256 != circuit.sha256
    changed = with_annotations(record, archive, replace(annotations, circuit=other.sha256))
    assert "the annotations are of another circuit" in refusal(changed, archive, circuit)
    assert "another circuit than that given" in refusal(record, archive, other)


@pytest.mark.parametrize("name", ["product", "x_significand"])
def test_probes_elsewhere_are_refused(record, archive, circuit, annotations, name):
    first, second, *others = annotations.probes[name]
    probes = {**annotations.probes, name: (second, first, *others)}
    assert refusal(
        with_annotations(record, archive, replace(annotations, probes=probes)), archive, circuit
    )


def test_operands_that_are_the_product_are_refused(record, archive, circuit, annotations):
    product = annotations.probes["product"]
    probes = {**annotations.probes, "x_significand": product[:3], "y_significand": product[3:]}
    assert refusal(
        with_annotations(record, archive, replace(annotations, probes=probes)), archive, circuit
    )


def test_probes_that_do_not_exist_are_refused(record, archive, circuit, annotations):
    probes = {**annotations.probes, "product": (circuit.signal_count,) * 6}
    changed = with_annotations(record, archive, replace(annotations, probes=probes))
    assert "dangling" in refusal(changed, archive, circuit)


def test_cells_that_reach_too_far_or_are_missing_are_refused(record, archive, circuit, annotations):
    (out,) = circuit.outputs["result"][:1]
    cell = Block("past", "and", {"a": (0,), "b": (1,)}, {"out": (out,)})
    for cells in ((*annotations.cells, cell), ()):
        changed = with_annotations(record, archive, replace(annotations, cells=cells))
        assert refusal(changed, archive, circuit)


def test_another_condition_makes_other_lemmas(record, archive, circuit, annotations):
    changed = with_annotations(record, archive, replace(annotations, condition="operands normal"))
    assert refusal(changed, archive, circuit)
    changed = with_annotations(record, archive, replace(annotations, condition="whenever"))
    assert "no condition is named 'whenever'" in refusal(changed, archive, circuit)


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"\xff", b'{"schema": 1}'])
def test_what_cannot_be_read_is_refused(record, archive, circuit, content):
    assert "cannot be read" in refusal(with_content(record, archive, content), archive, circuit)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b'"schema":', b'"comment":"cut nowhere","schema":'),
        (b'"probes":{', b'"probes":{"product":[0,1],'),
        (b'"cells":[{', b'"cells":[{"comment":"none",'),
        (b'"beside":false', b'"beside":true,"beside":false'),
        (b'"beside":false', b'"beside": false'),
    ],
    ids=["unknown", "repeated", "unknown in a cell", "repeated default", "blank"],
)
def test_what_is_written_otherwise_is_refused(record, archive, circuit, annotations, written, instead):
    """Found in review: of a repeated key the last was read, and what has no meaning was passed over."""
    content = annotations.content.replace(written, instead, 1)
    assert content != annotations.content
    said = refusal(with_content(record, archive, content), archive, circuit)
    assert said.endswith("the annotations cannot be read: they are not as this version writes them")


def test_another_certificate_is_no_annotation(record, archive, circuit):
    kept = archive.keep("model", json.dumps({}).encode())
    changed = replace(record, strategy=replace(record.strategy, annotations=kept))
    assert "its annotations are a model" in refusal(changed, archive, circuit)


def test_the_own_circuit_needs_none(record, archive):
    own = discharge(theorem(NAME), 60, keeping=Keeping(archive))
    assert own.strategy is None
    changed = replace(own, strategy=record.strategy)
    assert "does not need" in refusal(changed, archive, None)


def test_they_are_read_as_they_are_written(annotations):
    assert Annotations.read(annotations.content) == annotations


def test_a_wrong_circuit_is_refuted_not_annotated(circuit):
    signal = circuit.outputs["result"][0] - circuit.input_count
    neurons = list(circuit.neurons)
    neurons[signal] = replace(neurons[signal], threshold=1000)
    found = discharge(theorem(NAME), 60, replace(circuit, neurons=tuple(neurons), cells=()))
    assert found.outcome is Outcome.REFUTED
    assert found.strategy.annotations is None
    assert found.strategy.stages[-1].found == "a counterexample"
