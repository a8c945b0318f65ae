"""Elementary functions of one operand, correctly rounded, in formats of up to 16 bits.

A circuit is made from the table of a function's results: any table of up to 16 input bits can be given.

* ``building``    -- functions by name, as netlists: begin here
* ``values``      -- the function as a table of codes, by MPFR
* ``changes``     -- where results change, as circuits read tables
* ``segments``    -- few segments, in which bits change few times: least neurons, depth 3
* ``sums``        -- words, tables and products, for circuits that are integer programs
* ``thermometer`` -- a neuron for each change of the result: depth 2
"""
