"""Proof logs written by hand, and made up in any number: what reports are tested on."""

import hashlib
import json
from itertools import product

HOSTILE = "<script>alert(1)</script> & 100 % _x_ #1 $y$ {z} ~ ^ \\ | `a` θ ≥ é 好 \x1b"
"""What any text of a log might have in it."""


def digest(*what):
    """A SHA-256 that is no other's."""
    return hashlib.sha256(repr(what).encode()).hexdigest()


SOURCE = digest("source")

MANIFEST = {
    "schema": "spikeproof-manifest-2",
    "command": "pytest proofs/",
    "profile": "default",
    "commit": "ce2c51f0c0ffee00c0ffee00c0ffee00c0ffee00",
    "modified": False,
    "started": "2026-11-22T23:51:07+00:00",
    "finished": "2026-11-23T00:06:09+00:00",
    "machine": {
        "system": "Linux 6.1",
        "processor": "x86_64",
        "cores": 2,
        "memory_gib": 23.4,
        "python": "3.11.7",
    },
    "versions": {"spikeproof": "0.1.0", "z3-solver": "5.4.0.0", "python-sat": "1.9.dev17"},
    "source_sha256": SOURCE,
    "promised": 0,
    "discharged": 0,
    "complete": True,
}

Z3 = {"name": "z3", "version": "5.4.0", "options": "simplify solve-eqs bit-blast aig sat"}
CADICAL = {"name": "cadical", "version": "3.0.0", "options": "lrat; after 1000 conflicts swept"}


CERTIFICATES = {
    "claim": {"smtlib": 33_000, "drat": 26_000_000},
    "assumptions": {"smtlib": 2_200, "model": 40},
    "algebra": {"telescoping": 120},
}
"""Of each kind of lemma: what proves it, and its size."""


def lemma(theorem, name, kind="claim", seconds=0.25):
    """A lemma that two engines agree on; or algebra, with its certificate."""
    search = kind != "algebra"
    status = "satisfiable" if kind == "assumptions" else "unsatisfiable"
    formula = digest(theorem, name, kind)
    return {
        "name": name,
        "kind": kind,
        "formula_sha256": formula if search else None,
        "cnf_sha256": digest(theorem, name, kind, "clauses") if search else None,
        "replies": [
            {"engine": engine, "status": status, "seconds": seconds}
            for engine in ("z3 5.4.0", "cadical 3.0.0")
            if search
        ],
        "certificates": [
            {
                "kind": form,
                "sha256": formula if form == "smtlib" else digest(formula, form),
                "size": size,
            }
            for form, size in CERTIFICATES[kind].items()
        ],
    }


def multiplication(theorem):
    """Lemmas like those of a multiplier."""
    return [
        lemma(theorem, "x_significand, y_significand"),
        lemma(theorem, "product", "algebra"),
        lemma(theorem, "product: adder_4 adds"),
        lemma(theorem, "outputs", "assumptions"),
        lemma(theorem, "outputs"),
    ]


def record(theorem, outcome="proved", expected="proved", **others):
    """A record of a theorem; what its name says is among its parameters."""
    words = theorem.split(".")
    unit = "_" in words[0] or words[0][-1].isdigit()
    parameters = dict(zip(("format", "operation", "mode"), words, strict=False)) if unit else {}
    family = "unit" if unit else words[0]
    own = {"library": "threshold", "structure": "small", "policy": "ieee"} if unit else {}
    neurons = 100 + 7 * len(theorem)
    return {
        "schema": "spikeproof-record-1",
        "theorem": theorem,
        "statement": f"{theorem} is what it should be",
        "parameters": {"family": family} | own | parameters,
        "outcome": outcome,
        "expected": expected,
        "engines": [Z3, CADICAL],
        "seed": 20261122,
        "timeout": 300.0,
        "seconds": 0.5,
        "peak_memory_mib": 120.5,
        "message": "",
        "counterexample": None,
        "netlist": {
            "sha256": digest(theorem, "netlist"),
            "neurons": neurons,
            "synapses": 4 * neurons,
            "depth": 42,
            "largest_fan_in": 9,
        },
        "spec_sha256": digest(theorem, "spec"),
        "lemmas": multiplication(theorem) if "multiply" in theorem else [lemma(theorem, theorem)],
        "source_sha256": SOURCE,
        "seal": digest(theorem, "seal"),
    } | others


REFUTATION = """\
the circuit differs from its spec:
  input x          1 0000 100 (0x84)  subnormal  -0.0078125
  input y          0 0100 101 (0x25)  normal  0.203125
  result, circuit  1 0000 000 (0x80)  zero  -0
  result, spec     1 0000 001 (0x81)  subnormal  -0.001953125
first signals along the datapath that depart from what the spec implies:
  sticky: circuit 0 = 0, spec 1 = 1"""

RECORDS = [
    record("cell.ionic.xor", seconds=0.01, engines=[Z3]),
    record("fp4_e2m1.multiply.rne", seconds=0.15),
    record("fp16.multiply.rne", seconds=2.8),
    record("fp16.add.rne", seconds=2.0),
    record("fp32.add.rne", seconds=3.2, engines=[CADICAL]),
    record(
        "fp64.add.rne", "timeout", seconds=300.0, message="cadical did not decide the claim", lemmas=[]
    ),
    record("fp64.fma.rne", "error", message=HOSTILE, statement=HOSTILE, netlist=None, lemmas=[]),
    record("tf32.divide.rne", "unknown", message="the engine gave up", lemmas=[]),
    record(
        "fp8_e4m3fn.multiply.rne",
        "refuted",
        counterexample={"x": 0x84, "y": 0x25},
        message=REFUTATION,
        lemmas=[],
    ),
    record(
        "fp8_e4m3fn.sticky_extra_multiply.rne",
        "refuted",
        "refuted",
        counterexample={"x": 0x84, "y": 0x25},
        message="the claim does not hold for\n  x = 132 (0x84)\n  y = 37 (0x25)",
        lemmas=[],
    ),
]
"""Five as promised, one of them a refutation; and one of every other outcome."""


def write_log(directory, records=RECORDS, **manifest):
    """A log of these records, complete unless told otherwise; its directory."""
    (directory / "records").mkdir(parents=True)
    green = sum(r["outcome"] == r["expected"] for r in records)
    counts = {"promised": len(records), "discharged": green}
    (directory / "manifest.json").write_text(json.dumps(MANIFEST | counts | manifest))
    for each in records:
        (directory / "records" / f"{each['theorem']}.json").write_text(json.dumps(each))
    return directory


def many(count):
    """As many records as asked for, of the sizes and lemmas that ours have."""
    formats = ("fp4_e2m1", "fp6_e2m3", "fp8_e5m2", "bfloat16", "fp16", "tf32", "fp32", "fp64")
    operations = ("add", "multiply", "divide", "square_root", "fma")
    libraries = ("threshold", "ionic", "nexus", "ternary")
    modes = ("rne", "rna", "rtz", "rtp", "rtn", "rto")
    units = list(product(formats, operations, modes, libraries))
    for index in range(count):
        fmt, operation, mode, library = units[index % len(units)]
        name = f"{fmt}.{operation}.{mode}.{library}.{index // len(units)}"
        size = 1 + formats.index(fmt)
        made = record(name, seconds=0.1 * size**2 + 0.01 * (index % 13), lemmas=multiplication(name))
        made["parameters"]["library"] = library
        made["netlist"]["neurons"] = size**2 * (30 + 10 * libraries.index(library)) + index % 11
        yield made
