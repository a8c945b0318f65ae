"""Doors: where netlists come in and go out, a module for each kind of file or foreign object.

* ``json``           -- netlists as files
* ``files``          -- circuits from files and to files, by the end of the name
* ``gates``          -- what circuits of gates have in common
* ``unrolling``      -- those with memory, step after step
* ``aiger``, ``blif``, ``yosys``, ``verilog``, ``smtlib``, ``btor2`` -- a format each
* ``simulation``     -- Verilog beside its simulation
* ``modules``        -- from PyTorch modules, in a process of their own: ``module_worker``
* ``symbolic_tensors``, ``affine_forms`` -- their code, run on symbolic bits
* ``free_spikes``    -- their neurons one by one, at their thresholds
* ``nir``            -- graphs of NIR in and out
* ``nir_reading``    -- what must be stated of such a graph
* ``nir_backends``   -- what those who run such graphs make of neurons
* ``membranes``      -- neurons that keep charge, through time steps

None loads a foreign library before it is used.
"""
