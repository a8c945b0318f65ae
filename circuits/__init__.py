"""What a unit is made of: neurons, netlists, gate libraries, integer blocks, floating-point units.

* ``circuits.netlist``        -- neuron, netlist, builder: the data everything else works on
* ``circuits.units.libraries``      -- how gates are made of neurons on a substrate
* ``circuits.units.integer``        -- adders, shifters, normalisers, multipliers
* ``circuits.units.floating_point`` -- floating-point units
* ``circuits.meanings.boolean``        -- executable meaning: plain Boolean evaluation (NumPy)
* ``circuits.meanings.bitsliced``      -- the same, compiled: 256 inputs for each machine instruction (LLVM)
* ``circuits.meanings.logic``          -- neurons as ANDs and XORs, for that
* ``circuits.meanings.native``         -- ANDs and XORs as machine code, for that
* ``circuits.meanings.enumeration``    -- all inputs of a circuit, beside references, in machine code
* ``circuits.meanings.membrane``       -- executable meaning: membrane potentials over time (PyTorch)
* ``circuits.meanings.monte_carlo``    -- how often a noisy circuit errs, of many samples
* ``circuits.meanings.formula``        -- formula meaning: bit-vectors, neuron by neuron (pySMT)
* ``circuits.doors.json``           -- netlists from and to JSON
* ``circuits.doors.pytorch``        -- netlists from PyTorch modules
* ``circuits.doors.spiking_layers`` -- what a layer of those does, by probing it

From this project it imports ``specs.formats`` alone, and shares no arithmetic with ``specs``.
"""
