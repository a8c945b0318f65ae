"""An obligation with what it comes to: circuit, claim, and the lemmas that make up the claim."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import Claim, Decomposition, Obligation, Step
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.prover.kernel.algebra import LOGS
from spikeproof.prover.kernel.annotation import Annotations
from spikeproof.prover.kernel.beside import compose_beside
from spikeproof.prover.kernel.cells import AlgebraError, Site
from spikeproof.prover.kernel.composition import compose
from spikeproof.prover.kernel.following import compose_following
from spikeproof.prover.kernel.splitting import split


@dataclass(frozen=True)
class Case:
    """An obligation with what it comes to.

    Attributes:
        netlist: the circuit that the claim is about, if any.
        own: whether that is the obligation's own.
        annotations: what was found in it, if it has no probes of its own; believed in nothing.
    """

    obligation: Obligation
    netlist: Netlist | None
    own: bool
    claim: Claim
    annotations: Annotations | None = None

    @classmethod
    def of(
        cls,
        obligation: Obligation,
        circuit: Netlist | None = None,
        annotations: Annotations | None = None,
    ) -> Case:
        """State an obligation, of another circuit than its own if one is given."""
        netlist = circuit
        if netlist is None and obligation.circuit:
            netlist = obligation.circuit()
        return cls(obligation, netlist, circuit is None, obligation.state(netlist), annotations)

    @property
    def tabulated(self) -> bool:
        """Whether the claim is about a table: it is evaluated on every input, and no engine is asked."""
        return isinstance(self.claim, TabulatedClaim)

    @cached_property
    def _unit(self) -> Case | None:
        """The theorem about its own unit, if the circuit is to be proved beside that.

        Raises:
            AnnotationError, NetlistError: if the annotations are not of the circuit.
        """
        if not self.netlist or self.own or not self.annotations or not self.annotations.beside:
            return None
        self.annotations.on(self.netlist)
        return Case.of(self.obligation)

    @cached_property
    def decomposition(self) -> Decomposition | None:
        """How the claim is split: as the obligation says, but only where the circuit is known to be cut.

        Raises:
            AnnotationError: if the annotations do not fit it.
        """
        if self._unit:
            return self._unit.decomposition
        whole = self.obligation.decomposition
        return self.annotations.reduced(whole) if whole and self.annotations else whole

    @cached_property
    def probed(self) -> Netlist | None:
        """The netlist with all probes of the decomposition, where that says how to come by it.

        If the circuit follows another, that other.

        Raises:
            AnnotationError, NetlistError: if the annotations are not of the circuit.
        """
        if self._unit:
            return self._unit.probed
        decomposition = self.decomposition
        if not decomposition or not self.netlist:
            return None
        if self.annotations:
            return self.annotations.on(self.netlist)
        lacks_probes = self.own and decomposition.lacks_probes(self.netlist)
        if decomposition.circuit and (decomposition.follows or lacks_probes):
            return decomposition.circuit()
        return self.netlist

    def lemmas(self) -> dict[str, Claim]:
        """The lemmas by which the claim is to be proved; none if it is to be put to the engines whole.

        Raises:
            CompositionError, AlgebraError: if they do not make up the claim.
            AnnotationError, NetlistError: if the annotations are not of the circuit.
        """
        if self._unit and self.netlist:
            return compose_beside(self.netlist, self.claim, self._unit.claim, self._unit.lemmas())
        if self.obligation.cases:
            return split(self.claim, self.obligation.cases(self.claim.inputs))
        netlist, decomposition = self.probed, self.decomposition
        if not (self.netlist and netlist and decomposition):
            return {}
        if decomposition.follows and not self.annotations:
            return compose_following(self.netlist, netlist, decomposition, self.claim)
        return compose(netlist, decomposition, self.claim)

    def steps_with_logs(self) -> dict[str, Step]:
        """The steps that are shown by algebra which keeps a log, by label."""
        decomposition = self.decomposition
        steps = decomposition.steps if decomposition and self.probed else ()
        return {", ".join(step.names): step for step in steps if step.method in LOGS}

    def algebra(self) -> dict[str, bytes]:
        """Their logs.

        Raises:
            AlgebraError: if there is none.
        """
        netlist = self.probed
        return {
            label: LOGS[step.method].make(Site.of(netlist, step))
            for label, step in self.steps_with_logs().items()
            if netlist
        }

    def check_algebra(self, label: str, log: bytes) -> None:
        """Check a log as ``algebra`` gives it.

        Raises:
            AlgebraError: if it does not show what the step says, or cannot be read.
        """
        netlist, step = self.probed, self.steps_with_logs().get(label)
        if not netlist or not step:
            raise AlgebraError(f"no step {label!r} is shown by algebra that keeps a log")
        LOGS[step.method].check(Site.of(netlist, step), log)
