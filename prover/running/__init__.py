"""From obligations to records.

* ``discharge``        -- an obligation
* ``inquiry``          -- the questions of one obligation, and what is kept of the answers
* ``run``              -- many obligations, with cache and log
* ``cluster``          -- the same on other machines
* ``apart``            -- processes of a worker's threads
* ``enumerating``      -- an enumeration on a cluster
* ``verify``           -- many records checked
* ``replay``           -- a counterexample run again
* ``mutation_report``  -- what becomes of mutants
"""
