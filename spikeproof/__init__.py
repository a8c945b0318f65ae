"""Machine-checked proofs that arithmetic built from spiking neurons does exactly what is claimed of it.

What is named here is the public face; whatever is not is internal, and may change without a word.

*Prove, check, cite*

* ``theorems``, ``theorem``: what is promised, by name.
* ``prove``: discharge a theorem, or a claim of your own.
* ``check``: decide whether a circuit of yours is what a theorem, or a function of yours, says.
* ``assert_proved``: the same as an assertion, for your tests; ``RefutedError``, ``UndecidedError``.
* ``exhaust``: try every input of a circuit, up to 2^32.
* ``reference_model``: the spec of a theorem as a function of arrays, a ``ReferenceModel``.
* ``revealed_order``: the order in which a function of a library sums, tested; a ``RevealedOrder``.
* ``verify``: check a proof log again, without any solver.
* ``Record``, ``Outcome``: what comes of it.

*Circuits*

* ``Netlist``, ``Neuron``, ``NetlistBuilder``, ``NetlistError``: what a circuit is.
* ``ClockedNetlist``, ``write_clocked``: one whose neurons may read the step before.
* ``read_circuit``, ``write_circuit``: files of JSON, AIGER, BLIF and Verilog, over ``Steps`` of time.
* ``from_module``, ``import_module``: PyTorch modules as they are.
* ``from_nir``, ``read_nir``, ``to_nir``: graphs of NIR, and what must be stated of them, a ``Reading``.
* ``selected_outputs``: a circuit of which only these outputs count.
* ``read_json``, ``write_json``: of JSON alone; ``read_aiger``: of AIGER, with widths of buses.
* ``build_unit``: one of our floating-point units.
* ``BitSlicedSimulator``, ``MembraneSimulator``: circuits run.

*Layers* (docs/programs.md)

* ``run``: what a program of units makes of arrays, in neurons, by the machine, or by the spec of record.
* ``from_torch``: a linear layer of PyTorch in neurons, bit by bit, a ``SpikingLinear``.
* ``straight_through``: the same to be trained, with PyTorch's own gradients, a ``StraightThrough``.

*Networks* (docs/networks.md)

* ``network_of``: a module of PyTorch, of snnTorch's or SpikingJelly's neurons, as a network.
* ``network_of_nir``: a graph of NIR, with its ``Reading``, as a network.
* ``read_network``, ``write_network``: files of these.

*Specs and claims*

* ``Format``, ``format_named``, ``ieee_format``, ``RoundingMode``, ``OverflowPolicy``, ``Integer``.
* ``Obligation``, ``Claim``, ``equivalence``: how to promise something.
* ``specification``: declare a function of yours as a spec, a ``Specification``.

*Hypothesis strategies* are in ``spikeproof.strategies``.

The names are loaded when they are first used: importing this package takes no time, and no solver.
The command ``spikeproof`` is another face of the same functions.
"""

import lazy_loader

import spikeproof._layout  # noqa: F401, imported for what it refuses

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
