"""Elementary functions of one operand, correctly rounded, in formats of up to 16 bits.

A circuit is made from the table of a function's results: any table of up to 16 input bits can be given.

* ``building``    -- functions by name, as netlists: begin here
* ``values``      -- the function as a table of codes, by MPFR
* ``segments``    -- the result as linear in the code of x, between few boundaries: least neurons
* ``thermometer`` -- a neuron for each change of the result: depth 2
"""
