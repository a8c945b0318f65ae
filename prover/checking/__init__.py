"""Evidence examined again; trusted, and asks no solver.

* ``verification``  -- records, against the source and their certificates
* ``checkers``      -- of clausal proofs: programs of other makers
* ``every_input``   -- claims of few input bits, evaluated
* ``every_block``   -- the same of up to 32 input bits, block by block
* ``replays``       -- whether inputs violate a claim
* ``robustness``    -- trees about networks: no few changed bits change a class
* ``changed_spikes`` -- the same over several steps, by trying all
* ``scenarios``     -- of one or two spikes, by tables of what each neuron makes of them
* ``decisions``     -- from when on no continuation changes a decision
* ``network_spreads`` -- limits of spread of networks, and devices that are wrong
"""
