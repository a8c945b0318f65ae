"""Exact limits of physical quantities.

* ``limits``      -- of noise, spread and leak at a gate
* ``enclosure``   -- of the normal distribution, by rationals
* ``failure``     -- how likely a unit errs
* ``confidence``  -- what samples say
* ``relaxation``  -- windows of memristive neurons
* ``network_spread``  -- the spread under which a network's class is right
* ``network_yield``   -- how likely it is right on devices that are off by chance
* ``relaxing_networks`` -- whether classes stay for every relaxation time of a neuron
* ``network_pruning`` -- which synapses of a network can go
"""
