"""From formulas to clauses, to text and to values; trusted.

* ``bitblast``    -- formulas as and-inverter graphs, and these as clauses
* ``smtlib``      -- formulas as scripts of SMT-LIB 2
* ``btor2``       -- claims as properties in BTOR2
* ``drat``        -- clausal proofs as bytes
* ``evaluation``  -- formulas on many inputs at a time
"""
