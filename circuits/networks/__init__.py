"""Networks as circuits: what a whole network decides, its read-out too, in neurons.

* ``circuits.networks.one_step`` -- networks of one step as netlists

May import ``circuits.netlist``, ``circuits.units``, and of ``specs`` networks.
"""
