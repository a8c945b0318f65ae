"""What a netlist means: as a formula, which theorems are about, and as what runs.

* ``circuits.meanings.formula``     -- bit-vectors, neuron by neuron (pySMT)
* ``circuits.meanings.boolean``     -- plain Boolean evaluation (NumPy)
* ``circuits.meanings.matrices``    -- the same for many inputs: a product of matrices a level (NumPy)
* ``circuits.meanings.carry_save``  -- the same by other means: packed words and full adders (NumPy)
* ``circuits.meanings.programs``    -- as a program of words: digits, tables, products (NumPy)
* ``circuits.meanings.program_reading`` -- where a netlist is such a program; believed in nothing
* ``circuits.meanings.program_code`` -- such programs as machine code (LLVM)
* ``circuits.meanings.in_a_row``    -- inputs in a row, as such a program or neuron by neuron
* ``circuits.meanings.bitsliced``   -- the same, compiled: 256 inputs for each machine instruction (LLVM)
* ``circuits.meanings.logic``       -- neurons as ANDs and XORs, for that
* ``circuits.meanings.native``      -- ANDs and XORs as machine code, for that
* ``circuits.meanings.tensors``     -- ANDs and XORs on tensors, for a GPU (PyTorch)
* ``circuits.meanings.enumeration`` -- all inputs of a circuit, beside references, in machine code
* ``circuits.meanings.word_enumeration`` -- the same, word by word
* ``circuits.meanings.membrane``    -- membrane potentials over time, of a substrate
* ``circuits.meanings.monte_carlo`` -- how often a noisy circuit errs, of many samples
* ``circuits.meanings.activity``    -- spikes and synaptic operations that evaluations take

May import ``circuits.netlist``, and ``circuits.physics``, whose parameters membranes have.
"""
