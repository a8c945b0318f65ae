"""Doors: where netlists come in and go out, a module for each kind of file or foreign object.

* ``json``           -- netlists as files
* ``pytorch``        -- from PyTorch modules
* ``spiking_layers`` -- what a layer of those does, by probing it

None loads a foreign library before it is used.
"""
