"""Elementary functions, correctly rounded.

In formats of up to 16 bits a circuit is made from the table of a function's results: any table of up to
16 input bits can be given. Programs, of words and their sums, make functions of wider formats.

* ``building``    -- functions by name, as netlists: begin here
* ``values``      -- the function as a table of codes, by MPFR
* ``changes``     -- where results change, as circuits read tables
* ``polynomials`` -- rows of codes, for each a polynomial: for smooth functions of any kind
* ``fitting``     -- finds such rows, ``targets`` what they are to be; ``kept_rows`` has those of FP32
* ``modes``       -- six modes of rounding, made from two
* ``half_turns``  -- sin(pi x) and cos(pi x): x folded to a quarter of a turn, and rows of polynomials
* ``radians``     -- sin(x) and cos(x): x reduced to a quarter of a turn, likewise
* ``quotient``    -- quotients of words by comparison, a neuron a digit
* ``reciprocal``  -- 1 / x as a quotient, in any format of IEEE 754's shape
* ``root``        -- roots by comparison, likewise
* ``reciprocal_root`` -- 1 / sqrt(x) as the root of a quotient
* ``exponentials``, ``logarithms`` -- exp and exp2, log and log2: programs of short factors
* ``bounded_exponential``, ``bounded_logarithm`` -- exp and log of FP64 likewise, to 0.501 in the last
  place
* ``bounded_cosine``, ``bounded_sine``, ``bounded_radians`` -- cosines and sines of FP64, of half turns
  and of radians, by ``sine_rows``
* ``factors``     -- these and ``radians`` as circuits: ``words`` says what a program is, ``regions``
  where it is of no use, ``exceptions`` where it is wrong, and ``mended`` joins all that
* ``segments``    -- few segments, in which bits change few times: least neurons, depth 3
* ``sums``        -- words, tables and products, for circuits that are integer programs
* ``of_two``      -- functions of two operands, from tables of all pairs
* ``hypotenuse``  -- sqrt(x^2 + y^2) as the root of a sum of squares
* ``thermometer`` -- a neuron for each change of the result: depth 2
"""
