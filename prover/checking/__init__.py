"""Evidence examined again; trusted, and asks no solver.

* ``verification``  -- records, against the source and their certificates
* ``checkers``      -- of clausal proofs: programs of other makers
* ``replays``       -- whether inputs violate a claim
"""
