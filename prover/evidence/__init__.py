"""What is kept of what was found.

Of this room, the checking of evidence reads ``record`` and ``archive``.

* ``record``   -- what is kept of an obligation
* ``archive``  -- certificates, by content
* ``source``   -- of which source a record is
* ``seal``     -- whether a run wrote what it reads back
* ``kept``     -- records in files, and when a run believes one
* ``cache``    -- what was proved before
* ``lines``    -- what theorems state, to be listed
* ``log``      -- what a run proved, to be cited
* ``ledger``   -- which theorems are promised, with what evidence
* ``shards``   -- which theorems are one machine's of several
* ``merging``  -- one log of those of several
* ``history``  -- the last result of each theorem
* ``files``    -- files that are written whole or not at all
"""
