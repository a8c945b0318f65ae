"""Finds what programs of FP32 functions get wrong, and writes it where circuits take it from:

    python -m benchmarks.function_exceptions [fp32.exp.rne ...]

The circuit without exceptions is run on all inputs as machine code; where its sum comes near to a
boundary of rounding, MPFR tells the result.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np

from spikeproof.circuits.meanings.program_code import CompiledProgram
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.forms import Form, bits, signals
from spikeproof.circuits.units.functions import exceptions
from spikeproof.circuits.units.functions.factors import PLANS, plan_of
from spikeproof.circuits.units.functions.mended import Found, Plan
from spikeproof.circuits.units.functions.modes import MADE
from spikeproof.circuits.units.functions.words import Neurons
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.specs.formats import FP32

BLOCK = 1 << 20
"""Inputs run at once."""

FILE = Path(exceptions.__file__).with_name(exceptions.FILE)


def trial(plan: Plan) -> Netlist:
    """The circuit without exceptions, and beside its result what it comes to on the way."""
    gates = library_gates("threshold")
    machine = Neurons(gates)
    found = plan.program(machine, bits(gates.builder.input("x", plan.fmt.width)))
    forms = {name: getattr(found, name) for name in ("code", "total", "lost", "divisor")}
    outputs: dict[str, Form] = {name: form for name, form in forms.items() if isinstance(form, Form)}
    sizes = {name: form.high.bit_length() for name, form in outputs.items()}
    words = {name: machine.digits(form, sizes[name]) for name, form in outputs.items()}
    return gates.builder.build({name: signals(gates, word) for name, word in words.items()})


def wrong(plan: Plan) -> Iterator[tuple[int, int]]:
    """The codes of which the circuit has wrong results, and what is to be added to these."""
    netlist = trial(plan)
    compiled = CompiledProgram(netlist, read_program(netlist), threads=1)
    size = min(BLOCK, 1 << plan.fmt.width)
    for start, end in plan.spans:
        for first in range(start // size * size, end, size):
            outputs = compiled.evaluate(first, size)
            inside = slice(max(start - first, 0), min(end - first, size))
            words = {name: each[inside].astype(np.int64) for name, each in outputs.items()}
            codes = np.arange(first, first + size)[inside]
            found = Found(**{"lost": 0, **words}, inexact=0, negative=0)
            yield from exceptions.wrong(plan, codes, found)


def main() -> None:
    """Finds and writes exceptions, of all functions if none are named."""
    kept = json.loads(FILE.read_text(encoding="ascii")) if FILE.exists() else {}
    for function in PLANS:
        for mode in MADE:
            plan = plan_of(function, FP32, mode, FP32.policies[0])
            if sys.argv[1:] and plan.name not in sys.argv[1:]:
                continue
            start, found = process_time(), list(wrong(plan))
            kept[plan.name] = {
                str(more): [code for code, each in found if each == more]
                for more in sorted({more for _, more in found})
            }
            FILE.write_text(json.dumps(kept, sort_keys=True) + "\n", encoding="ascii")
            print(f"{plan.name}: {len(found)} exceptions, {process_time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
