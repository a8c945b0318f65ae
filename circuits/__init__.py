"""What computes: neurons, netlists, what is built of them, and what a netlist means.

* ``circuits.netlist``  -- neuron, netlist, builder: the data that everything else works on
* ``circuits.units``    -- what is built: gates, integer blocks, floating-point units
* ``circuits.physics``  -- what neurons are made of, and what may go wrong with them
* ``circuits.meanings`` -- what a netlist does: formulas, and ways to run it
* ``circuits.doors``    -- netlists from and to the outside

Each room imports those above it alone: units the netlist; physics the netlist and the gate libraries;
meanings the netlist and physics; doors the netlist and meanings. From the rest of this project they
import ``specs.formats`` alone, and share no arithmetic with ``specs``.
"""
