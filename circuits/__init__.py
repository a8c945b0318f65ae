"""What a unit is made of: neurons, netlists, gate libraries, integer blocks, floating-point units.

* ``circuits.netlist``        -- neuron, netlist, builder: the data everything else works on
* ``circuits.libraries``      -- how gates are made of neurons on a substrate
* ``circuits.integer``        -- adders, shifters, normalisers, multipliers
* ``circuits.floating_point`` -- floating-point units
* ``circuits.boolean``        -- executable meaning: plain Boolean evaluation (NumPy)
* ``circuits.bitsliced``      -- the same, compiled: 256 inputs for each machine instruction (LLVM)
* ``circuits.logic``          -- neurons as ANDs and XORs, for that
* ``circuits.native``         -- ANDs and XORs as machine code, for that
* ``circuits.enumeration``    -- all inputs of a circuit, beside references, in machine code
* ``circuits.membrane``       -- executable meaning: membrane potentials over time (PyTorch)
* ``circuits.monte_carlo``    -- how often a noisy circuit errs, of many samples
* ``circuits.formula``        -- formula meaning: bit-vectors, neuron by neuron (pySMT)
* ``circuits.interchange``    -- netlists from and to JSON, and from PyTorch modules

From this project it imports ``specs.formats`` alone, and shares no arithmetic with ``specs``.
"""
