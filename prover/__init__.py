"""How an obligation is discharged: engines, lemmas, counterexamples, the runner, the command line.

* ``prover.obligation``     -- claims, obligations, outcomes: the words of every proof
* ``prover.engine``         -- z3 and CaDiCaL behind one function each
* ``prover.bitblast``       -- from formulas to clauses, for CaDiCaL
* ``prover.composition``    -- the kernel: when lemmas make up a theorem
* ``prover.telescoping``    -- integer products by algebra
* ``prover.discharge``      -- one obligation to one result; many, in parallel
* ``prover.counterexample`` -- what a refutation looks like to a person
* ``prover.mutation``       -- netlists with a deliberate fault
* ``prover.catalogue``      -- which obligations exist
* ``prover.tables``         -- results as a table
* ``prover.history``        -- the last result of each theorem
* ``prover.cli``            -- the command ``spikeproof``
"""
