"""How an obligation is discharged: engines, lemmas, counterexamples, the runner, the command line.

* ``prover.obligation``     -- claims, obligations, outcomes: the words of every proof
* ``prover.engine``         -- z3 and CaDiCaL behind one function each
* ``prover.bitblast``       -- from formulas to clauses, for CaDiCaL
* ``prover.composition``    -- the kernel: when lemmas make up a theorem
* ``prover.telescoping``    -- integer products by algebra
* ``prover.discharge``      -- one obligation to one result; many, in parallel
* ``prover.counterexample`` -- what a refutation looks like to a person
* ``prover.minimisation``   -- from a counterexample to the simplest
* ``prover.tally``          -- how many inputs fail, of which classes
* ``prover.exhaustion``     -- every input of a circuit, beside spec and machine
* ``prover.machine_arithmetic`` -- what the machine computes itself
* ``prover.mutation``       -- netlists with a deliberate fault
* ``prover.catalogue``      -- which obligations exist
* ``prover.record``         -- what is kept of an obligation
* ``prover.source``         -- of which source it was
* ``prover.seal``           -- whether a run wrote what it reads back
* ``prover.archive``        -- certificates, by content
* ``prover.cache``          -- what was proved before
* ``prover.log``            -- what a run proved, to be cited
* ``prover.files``          -- files that are written whole or not at all
* ``prover.tables``         -- results as a table
* ``prover.history``        -- the last result of each theorem
* ``prover.cli``            -- the command ``spikeproof``
"""
