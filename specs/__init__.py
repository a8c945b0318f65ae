"""What a unit must compute: formats, rounding and operations, from IEEE 754-2019 and OCP.

* ``specs.formats``  -- the vocabulary: formats, rounding modes, overflow policies (plain data)
* ``specs.conventions`` -- what the standard leaves open, and where hardware departs from it (plain data)
* ``specs.exact``    -- the spec of record, on exact rationals: slow and obvious
* ``specs.functions``, ``specs.functions_of_two`` -- elementary functions, likewise
* ``specs.pairs``    -- those of two operands of all pairs of 16 bits each
* ``specs.symbolic`` -- the same meaning as pySMT bit-vector formulas
* ``specs.orders``, ``specs.programs`` -- in which order a sum is taken; layers and models of operations
* ``specs.integers`` -- the meaning of gates and integer blocks as pySMT formulas

This package imports nothing else of this project, and shares no arithmetic with ``circuits``.
"""
