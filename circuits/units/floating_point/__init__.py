"""Floating-point units, parametric in format, rounding mode, overflow policy and gate library.

The datapath of every unit: take the operands apart, compute exactly with a sticky bit for what is
lost, normalise as far as the exponent allows, round, pack, and let the special cases override.

* ``building``       -- units by name, as netlists: begin here
* ``unpacking``      -- operands: codes taken apart
* ``exponents``      -- the arithmetic on exponents that units share
* ``rounding``       -- the back end that they share: rounding, range check, special cases
* ``addition``       -- add, subtract; ``shallow_addition``: in least depth
* ``shallow_operands``, ``shallow_exponent``, ``shallow_rounding`` -- what units of least depth share
* ``multiplication`` -- multiply; ``sticky_extra``: S1's multiplier; ``exact_product``: without rounding;
  ``shallow_multiplication``: in least depth
* ``fma``            -- fused multiply-add; ``shallow_fma``: in least depth
* ``division``       -- divide; ``shallow_division``: in least depth
* ``remainder``      -- what whole quotients leave; it does not round
* ``square_root``    -- square root; ``shallow_root``: in least depth
* ``conversion``     -- from one format to another
* ``integral``       -- rounding to a whole number
* ``scaling``        -- x * 2^n, and the exponent of x
* ``comparison``     -- predicates, minimum and maximum; they do not round
* ``ordering``       -- the order of all codes, neighbours in it, classes; they do not round
* ``sign``           -- negate, absolute, copy sign; they do not round

Probes name the signals on the way; ``specs.exact.trace`` says what most of them must be, and the probes
of the same names in ``specs.symbolic`` what those must be at which proofs are cut:

    x_significand, y_significand   hidden bit and fraction of operands
    product                        full product of the significands (multiply and fma)
    normalised_product             that, its first bit set, or zero (fma of several formats)
    product_field                  its exponent, 1 being the least that it can have (likewise)
    dividend, divisor              normalised significands (divide)
    quotient, remainder            of those
    radicand                       normalised significand of even exponent (square root)
    root, remainder                of that
    dividend                       x in units of half of y's last place (remainder)
    remainder_2, remainder_4, ...  after division of all but so many places of that (remainder)
    remainder, odd                 after that of all of them; whether the quotient is odd (remainder)
    magnitude                      exact sum, but for a sticky last bit (add, subtract, fma)
    sign                           sign of the result, 1 for negative
    kept, guard, sticky            the significand before rounding, and what lies below it
    whole                          significand rounded to a whole number (round to integral)
    rounded                        magnitude code after rounding, before the range check
    result                         the code delivered
"""
