"""The words of every proof; trusted.

* ``obligation``   -- what is promised: claims, obligations, outcomes
* ``announced``    -- which packages have obligations
* ``catalogue``    -- which obligations exist
* ``tabulated``    -- claims that are tables of every input
* ``blocked``      -- the same of functions whose results come in blocks
* ``environment``  -- where formulas live
"""
