"""Inputs that fail: found, simplified, counted, shown.

* ``counterexample``      -- how one is explained
* ``minimisation``        -- the simplest one
* ``tally``               -- how many inputs fail, of which classes
* ``drawing``             -- inputs by class
* ``waveform``            -- signals over the layers, as VCD
* ``mutation``            -- netlists with a deliberate fault
* ``exhaustion``          -- every input, beside spec and machine
* ``machine_arithmetic``  -- what the machine computes itself
"""
