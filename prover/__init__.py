"""How an obligation is discharged: engines, lemmas, counterexamples, the runner, the command line.

* ``prover.claims.obligation``     -- claims, obligations, outcomes: the words of every proof
* ``prover.engines.engine``         -- z3 and CaDiCaL behind one function each
* ``prover.encoding.bitblast``       -- from formulas to clauses, for CaDiCaL
* ``prover.kernel.composition``    -- the kernel: when lemmas make up a theorem
* ``prover.kernel.telescoping``    -- integer products by algebra
* ``prover.running.discharge``      -- one obligation to one result; many, in parallel
* ``prover.refutation.counterexample`` -- what a refutation looks like to a person
* ``prover.refutation.minimisation``   -- from a counterexample to the simplest
* ``prover.refutation.tally``          -- how many inputs fail, of which classes
* ``prover.refutation.exhaustion``     -- every input of a circuit, beside spec and machine
* ``prover.refutation.machine_arithmetic`` -- what the machine computes itself
* ``prover.refutation.mutation``       -- netlists with a deliberate fault
* ``prover.claims.catalogue``      -- which obligations exist
* ``prover.evidence.record``         -- what is kept of an obligation
* ``prover.evidence.source``         -- of which source it was
* ``prover.evidence.seal``           -- whether a run wrote what it reads back
* ``prover.evidence.archive``        -- certificates, by content
* ``prover.evidence.cache``          -- what was proved before
* ``prover.evidence.log``            -- what a run proved, to be cited
* ``prover.evidence.files``          -- files that are written whole or not at all
* ``prover.report.tables``         -- results as a table
* ``prover.evidence.history``        -- the last result of each theorem
* ``prover.commands.cli``            -- the command ``spikeproof``
"""
