"""Programs of units: what computes a layer or a model (``specs.programs``), in neurons.

* ``circuits.programs.linear``     -- linear layers, level by level
* ``circuits.programs.units``      -- which netlist each operation of a program is an instance of
* ``circuits.programs.running``    -- programs run in neurons, on arrays
* ``circuits.programs.counting``   -- neurons, synapses and depth, by arithmetic over modules
* ``circuits.programs.flattening`` -- small programs as one netlist

May import ``circuits.netlist`` and ``circuits.meanings``, and of ``specs`` programs, orders,
products and formats.
"""
