"""Records of this very source, sealed and with certificates, as a run would keep them."""

from dataclasses import replace

from spikeproof.prover.evidence.record import CIRCUIT, Record
from spikeproof.prover.evidence.seal import sealed
from spikeproof.prover.evidence.source import source_sha256
from tests.support.logs import record

THEOREM = "cell.ionic.xor"


def proved(archive, theorem=THEOREM, proof=None, circuit=None, **others):
    """A sealed record of a theorem with one certificate, which is kept in the archive."""
    certificate = archive.keep("drat", proof or f"proof of {theorem} ".encode() * 20)
    blank = Record.from_json(record(theorem))
    lemmas = (replace(blank.lemmas[0], certificates=(certificate,)),)
    given = {CIRCUIT: circuit} if circuit else {}
    parameters = {**blank.parameters, **given}
    own = {"lemmas": lemmas, "parameters": parameters, "source_sha256": source_sha256()}
    return sealed(replace(blank, **(own | others)))
