"""When lemmas make up a theorem; trusted, and uses no solver.

* ``case``         -- an obligation with its circuit, its claim and the lemmas that make it up
* ``composition``  -- lemmas about the values on the way, from inputs to outputs
* ``following``    -- the same for a circuit that follows another, neuron by neuron
* ``splitting``    -- lemmas by cases
* ``algebra``      -- which algebra shows what
* ``cells``        -- the gates, adders and rows whose equations an algebra adds up
* ``telescoping``  -- products, from the equations of their adders
* ``counting``     -- likewise, of neurons that read one sum: they are its count
* ``searching``    -- digits from the top, by one neuron each: of sums, quotients and roots
* ``recurrence``   -- quotients and roots, from the invariants of their rows
* ``redundant``    -- quotients by rows with redundant remainders, from what their neurons weigh
* ``settling``     -- what such remainders and digits come to
* ``multiples``    -- how near numbers of a format come to multiples of pi/2
* ``bounds``       -- how nearly a circuit computes a function, by ``exponential``, ``logarithm``,
  ``cosine`` or ``radians`` (with ``turned_words``, ``sine_rows``, ``rounded_words``), with ``bit_sums``
  and ``function_words``
"""
