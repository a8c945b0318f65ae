"""How an obligation is discharged: engines, counterexamples, the runner and the command line.

* ``prover.obligation``     -- claims, obligations, outcomes: the words of every proof
* ``prover.engine``         -- z3 behind one function: satisfiable, unsatisfiable, or neither and why
* ``prover.discharge``      -- one obligation to one result; many, in parallel
* ``prover.counterexample`` -- what a refutation looks like to a person
* ``prover.catalogue``      -- which obligations exist
* ``prover.tables``         -- results as a table
* ``prover.cli``            -- the command ``spikeproof``
"""
