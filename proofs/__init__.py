"""The obligations: one short statement each, and nothing else.

* ``proofs.cells``        -- every gate of every library is its Boolean function
* ``proofs.blocks``       -- every integer block is its integer function
* ``proofs.serial``       -- so is every bit-serial unit, over its steps
* ``proofs.loops``        -- so is every accumulator, after any number of steps
* ``proofs.latches``      -- what latches have decided stays decided, after any number of steps
* ``proofs.encoders``     -- potentials become codes, and words trains of spikes and words again
* ``proofs.dual_rail``    -- so is each of these without inhibition, on two rails
* ``proofs.units``        -- every floating-point unit is its IEEE 754 operation
* ``proofs.exact_units``  -- so is every conversion, and every unit that does not round
* ``proofs.selections``   -- so is every multiplexer of numbers
* ``proofs.format_of`` -- so is every operation with operands of other formats than the result
* ``proofs.dot_products`` -- every dot product is added as its definition says, and rounded once
* ``proofs.integer_conversions`` -- so is every conversion from and to integers
* ``proofs.general_operations`` -- so is every other operation of IEEE 754's clause 5
* ``proofs.functions``    -- every elementary function is correctly rounded, on all inputs
* ``proofs.bounded_functions`` -- some of FP64 are within a bound, on all inputs
* ``proofs.functions_of_two`` -- so is every function of two operands, on all pairs
* ``proofs.stochastic``   -- so is every unit that rounds by a random word, and none is biased
* ``proofs.remainders``  -- so is every remainder, which never rounds
* ``proofs.mx``           -- so is every unit for scaled elements of MX blocks
* ``proofs.scale_conversions`` -- so is every conversion from and to E8M0, the scales of MX blocks
* ``proofs.packed_units`` -- so is every unit for words of several numbers
* ``proofs.exact_products`` -- so is every product in a format that holds it exactly, without rounding
* ``proofs.sticky_extra`` -- S1's Sticky-Extra Correction: sufficient, and which routes are necessary
* ``proofs.margins``      -- within which noise, spread and leak every gate is right, and not beyond
* ``proofs.superconducting`` -- how many inputs a neuron can have at a spread of its couplings
* ``proofs.memristive``   -- what holds for every relaxation time of a memristive neuron
* ``proofs.noisy_neurons`` -- what every neuron of larger shallow units bears, whatever it reads
* ``proofs.noisy_units``  -- so is every unit whose neurons are all within their margins
* ``proofs.programs``     -- so is every layer that is made of units
* ``proofs.language_models`` -- so is every layer of a language model, and models whole
* ``proofs.adequacy``     -- the spec's rounding formula is what the standard says in words
* ``proofs.remainder_definition`` -- the spec's remainders are those of whole numbers
* ``proofs.floating_point_theory`` -- the spec is SMT-LIB's floating-point theory, as z3 implements it

What is promised of units that round has one form: ``proofs.rounded_units``; ``proofs.names`` finds them
by name, promised or not, and ``proofs.spelling`` says what is meant by names in the words of others;
``proofs.families`` has all of these together.
``proofs.z3_theory`` has z3's floating-point theory in formulas of pySMT.

The names are loaded when they are first used: what is meant by a name need not wait for all of these.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
