"""How an obligation is discharged, recorded, checked again and shown.

What has to be believed, each room resting on those before it:

* ``claims``     -- obligation and catalogue: the words of every proof
* ``kernel``     -- when lemmas make up a theorem
* ``encoding``   -- from formulas to clauses, to text and to values
* ``checking``   -- evidence examined again

What need not be, for its work is checked:

* ``evidence``   -- what is kept: records, certificates, cache, log, ledger
* ``engines``    -- who answers questions
* ``margins``    -- exact limits of physical quantities
* ``refutation`` -- inputs that fail
* ``running``    -- from obligations to records
* ``report``     -- pages and tables
* ``commands``   -- the command line

``tests/test_architecture.py`` has which room may import which.
"""
