"""Who answers questions; nothing here is trusted with certificates.

* ``engine``         -- what an engine is, and which there are
* ``questions``      -- questions put to engines, several at a time
* ``z3``             -- z3
* ``cadical``        -- CaDiCaL, with clausal proofs
* ``bitwuzla``       -- Bitwuzla, if it is installed
* ``sweeping``       -- internal equivalences that shorten a question
* ``clausal_proof``  -- clausal proofs, from the traces of several solvers
* ``child``          -- a process for a single question
* ``pool``           -- work on many things in several processes
* ``memory``         -- how much memory a proof took
"""
