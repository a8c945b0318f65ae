"""What is built of neurons: gates, blocks of gates, and units of blocks.

* ``circuits.units.libraries``          -- how gates are made of neurons on a substrate
* ``circuits.units.integer``            -- adders, shifters, normalisers, multipliers, dividers, roots
* ``circuits.units.forms``              -- sums of signals that go straight into the next threshold
* ``circuits.units.shallow``            -- blocks of these; ``shallow_blocks``: some of them on their own
* ``circuits.units.columns``            -- products by counting the bits of a column at once
* ``circuits.units.comparison_sum``     -- the digits of such a sum, a neuron each
* ``circuits.units.searches``           -- products, quotients and roots by such digits
* ``circuits.units.copies``             -- no weight beyond a bound, by copies of sources
* ``circuits.units.floating_point``     -- floating-point units, a file for each operation
* ``circuits.units.functions``          -- functions of one operand, from tables of their results
* ``circuits.units.integer_conversion`` -- conversions between floating-point formats and integers
* ``circuits.units.mx``                 -- units for scaled elements of MX blocks
* ``circuits.units.voting``             -- every neuron several times over, and a majority vote

May import ``circuits.netlist``, and plain data: ``specs.formats`` and ``specs.conventions``.
"""
