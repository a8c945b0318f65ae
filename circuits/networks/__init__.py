"""Networks as circuits: what a whole network decides, its read-out too, in neurons.

* ``circuits.networks.one_step`` -- networks of one step as netlists
* ``circuits.networks.exact``    -- many inputs through a network at once, exactly

May import ``circuits.netlist``, ``circuits.units``, and of ``specs`` networks.
"""
