"""Where somebody else's circuit has what a proof is cut at; the kernel checks it, nothing is believed.

* ``signatures``  -- which signals have the spec's values, by simulation
* ``products``    -- adders and partial products of multipliers, from structure
* ``finding``     -- probes and cells together: annotations that are worth a try
* ``products``    -- the cells of a multiplier
* ``rows``        -- the rows of a divider or root
"""
