"""The words of every proof; trusted.

* ``obligation``   -- what is promised: claims, obligations, outcomes
* ``catalogue``    -- which obligations exist
* ``environment``  -- where formulas live
"""
