"""What neurons are made of, and what may go wrong with them: leak, noise, spread, relaxation, energy.

* ``circuits.physics.substrates``   -- substrates as data, with units and sources
* ``circuits.physics.uncertainty``  -- neurons known within intervals, and netlists of all they can do
* ``circuits.physics.real_formula`` -- the same in real arithmetic, as a second reading
* ``circuits.physics.leak``         -- what earlier evaluations leave behind on membranes
* ``circuits.physics.relaxing``     -- memristive neurons in continuous time
* ``circuits.physics.energy``       -- what spikes and synaptic operations cost

May import ``circuits.netlist``, and ``circuits.units.libraries``: a substrate has a gate library.
"""
