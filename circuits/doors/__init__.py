"""Doors: where netlists come in and go out, a module for each kind of file or foreign object.

* ``json``           -- netlists as files
* ``pytorch``        -- from PyTorch modules
* ``spiking_layers`` -- what a layer of those does, by probing it
* ``nir``            -- graphs of NIR in and out
* ``nir_reading``    -- what must be stated of such a graph
* ``nir_backends``   -- what those who run such graphs make of neurons
* ``unrolling``      -- neurons that keep charge, through time steps

None loads a foreign library before it is used.
"""
