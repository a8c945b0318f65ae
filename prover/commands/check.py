"""``spikeproof check``."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from spikeproof.circuits.doors.apart import Limits
from spikeproof.circuits.doors.buses import Widths, parsed_widths
from spikeproof.circuits.doors.json import as_json
from spikeproof.circuits.doors.modules import AXES
from spikeproof.circuits.doors.sources import Interface, read_other, read_source
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.commands.console import (
    Command,
    Seconds,
    examples,
    exit_code,
    failures_option,
    file_option,
    jobs_option,
    log_option,
    named,
    nearby,
    require_writable,
    screen_beside,
    stages,
    write_file,
)
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.files import storing, write_atomically
from spikeproof.prover.evidence.log import Log, Machine, default_log_directory
from spikeproof.prover.evidence.seal import sealed
from spikeproof.prover.report.tables import notes_text
from spikeproof.prover.report.verdict import circuit_text, evidence_text, verdict_text

if TYPE_CHECKING:  # these load every engine, for which nobody who completes a name should wait
    from spikeproof.circuits.netlist import Netlist
    from spikeproof.prover.running.checks import Decision, Question

CHECK_SCHEMA = "spikeproof-check-1"

CIRCUIT_FILE, CLAIM_FILE = "circuit.json", "claim.json"
"""Beside a log: the circuit as it was decided, and what it was compared with if that is no theorem."""

PROGRAM = "program."
"""How the names of theorems begin with which definitions are compared."""

DEFAULT_BUDGET = 600.0
"""Seconds."""

ENGINES_SHARE = 0.6
"""Of what is left of a budget, what the engines have; the rest is for trying every input after them."""


class Buses(click.ParamType[dict[str, int]]):
    """Buses, as ``a:8,b:8``."""

    name = "buses"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, int]:
        """Widths by name, in order, or a one-line error."""
        try:
            return parsed_widths(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Steps(click.ParamType[int]):
    """``one-step``, or a number of time steps."""

    name = "steps"
    most = 100_000

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a one-line error."""
        text = str(value)
        steps = 1 if text == "one-step" else int(text) if text.isascii() and text.isdecimal() else 0
        if not 0 < steps <= self.most:
            self.fail(
                f"{text} is neither one-step nor a number of steps, at most {self.most}", param, ctx
            )
        return steps


def _buses_option(side: str) -> Callable[[Command], Command]:
    return click.option(
        f"--{side}s",
        type=Buses(),
        metavar="NAME:WIDTH,...",
        help=f"The {side} buses of SOURCE, in the order of the spec's: its own by name, or all its "
        f"{side} bits cut so.",
    )


@click.command(
    epilog=examples(
        "check adder.v --spec fp8_e5m2.add.rne",
        "check mine:make_adder --spec fp8_e4m3fn.add.rne --policy saturate --inputs a:8,b:8",
        "check adder.json --spec mine:sum_of_values --failures wrong.csv",
        "check mended.blif --against original.aig",
        "check adder.py:Adder --spec fp8_e4m3fn.add.rne.saturate --html adder.html",
        "check pipeline.v --spec fp8_e5m2.add.rne --time 3",
        "check adder.nir --spec fp8_e5m2.add.rne --as snntorch,steps=1",
        "check layers.py:softmax --spec program.fp16.softmax.rne.16.pairwise",
    )
)
@click.argument("source")
@click.option(
    "--spec", metavar="SPEC", help="A theorem, or package.module:function, declared as a spec."
)
@click.option("--against", metavar="OTHER", help="Another circuit, as SOURCE, to be compared with.")
@click.option("--policy", metavar="WORD", help="Of the theorem: saturate, nan.")
@click.option("--convention", metavar="WORDS", help="Of the theorem: riscv, any_nan.daz, ...")
@_buses_option("input")
@_buses_option("output")
@click.option(
    "--order",
    type=click.Choice(("lsb", "msb")),
    default="lsb",
    show_default=True,
    help="Which bit of each bus of SOURCE comes first.",
)
@click.option(
    "--time",
    "steps",
    type=Steps(),
    metavar="one-step|STEPS",
    help="Of what has memory: in which time step the outputs are read; inputs are held.",
)
@click.option("--reset", is_flag=True, help="A PyTorch module is reset before every call.")
@click.option(
    "--axes",
    type=click.Choice(AXES),
    help="Of a PyTorch module's tensors: n the batch, t time, b bits; nb unless said.",
)
@click.option("--pure", is_flag=True, help="Refuse what is no neuron in a PyTorch module.")
@click.option(
    "--as",
    "reading",
    metavar="READING",
    help="How a graph of NIR is read, such as snntorch,steps=1.",
)
@click.option(
    "--budget",
    type=Seconds(),
    default=DEFAULT_BUDGET,
    show_default=True,
    help="Seconds for everything but the explanation of a refutation, which may take two minutes more, "
    "or as long as the engines did not need of theirs.",
)
@jobs_option()
@file_option("json", "the result")
@file_option("html", "a page about the circuit")
@failures_option()
@log_option("Write the proof log to")
def check(
    source: str,
    spec: str | None,
    against: str | None,
    policy: str | None,
    convention: str | None,
    inputs: dict[str, int] | None,
    outputs: dict[str, int] | None,
    order: Any,
    steps: int | None,
    reset: bool,
    axes: str | None,
    pure: bool,
    reading: str | None,
    budget: float,
    jobs: int | None,
    json_file: Path | None,
    html_file: Path | None,
    failures_file: Path | None,
    log_directory: Path | None,
) -> None:
    """Decide whether a circuit of yours is right.

    SOURCE is a file (JSON of ours or of Yosys, AIGER, BLIF, Verilog, NIR), or package.module:factory, or
    file.py:factory: a function or class, called in a process of its own, that gives a Netlist or a
    PyTorch module. If SPEC is a theorem program.*, SOURCE names a definition: a function that takes a
    value for each input and gives the result; of it no log is written.

    Exit code 0 if it is proved right, 1 if it is refuted, 3 if that is undecided, 4 on an error.
    """
    if (spec is None) == (against is None):
        raise click.UsageError("say what SOURCE should compute: by --spec or by --against, one of them")
    if (policy or convention) and (spec is None or ":" in spec):
        raise click.UsageError("--policy and --convention are words of a theorem's name; leave them out")
    screen = screen_beside(json_file, html_file, failures_file)
    require_writable(json_file)
    require_writable(html_file)
    if html_file:  # it needs packages that may not be there: now, not after the work
        from spikeproof.prover.report.audit import audit_page
    clock = _Clock(budget)
    interface = Interface(inputs, outputs, order, steps, reset, pure, reading, axes)
    interface.require_use(source, *filter(None, [against]))
    theorem = ".".join(filter(None, (spec, policy, convention)))
    if spec and theorem.startswith(PROGRAM):
        files = html_file or failures_file or log_directory
        if interface != Interface() or files:
            raise click.UsageError("of a definition --budget, --jobs and --json may be said, no more")
        sys.exit(_check_definition(source, theorem, clock, jobs, json_file, screen))
    with stages() as told:
        question = _question(source, interface, theorem, against, clock, told)
        if failures_file:
            _require_listable(question, failures_file)
        told("deciding")
        decision, log = _decided(question, log_directory, jobs or Machine.here().cores, clock, told)
    record, function = decision.record, question.obligation.function
    screen.print(verdict_text(source, record, function), markup=False)
    screen.print(evidence_text(record), markup=False)
    screen.print("\n".join(circuit_text(record, question.matched)), markup=False)
    others = [note for note in record.notes if note not in question.matched]
    for text in (notes_text(others), record.message, decision.note):
        if text:
            screen.print(text, markup=False, soft_wrap=True)
    for what, command in _again(decision, log).items():
        screen.print(f"{what}: {command}", markup=False, soft_wrap=True)
    if json_file:
        data = _as_json(source, theorem or str(against), question, decision, log)
        write_file(json_file, json.dumps(data, indent=1) + "\n")
    if html_file:
        verifying = _verifying(decision, log)
        page = audit_page(record, decision.obligation, question.circuit, source, verifying)
        write_file(html_file, page)
    if failures_file:
        from spikeproof.prover.commands.failures import list_failures  # loads LLVM

        list_failures(question.obligation, question.circuit, failures_file)
    sys.exit(exit_code([record]))


def _check_definition(
    source: str,
    name: str,
    clock: _Clock,
    jobs: int | None,
    json_file: Path | None,
    screen: Console,
) -> int:
    """Decide whether a definition computes what a theorem about a program says; the exit code."""
    from spikeproof.prover.running.definitions import by_definition
    from spikeproof.prover.running.discharge import discharge
    from spikeproof.prover.running.run import Run

    theorem = named(name)
    if theorem.rests_on is None:
        raise click.UsageError(f"{theorem.name} is about no program")
    with stages() as told:
        told(f"reading {source}")
        obligation = by_definition(source, theorem, clock.limits)
        told("deciding, the units that it rests on first")
        run, cores = Run(timeout=clock.left, cache=Cache.default()), jobs or Machine.here().cores
        record = discharge(obligation, clock.left, settled=partial(run.discharge, jobs=cores))
    verdict = verdict_text(source, record, f"what {theorem.name} says")
    screen.print(verdict, markup=False, soft_wrap=True)
    if record.outcome is Outcome.PROVED:
        units = ", ".join(obligation.rests_on() if obligation.rests_on else ())
        screen.print(f"evidence: congruence, and theorems about {units}", markup=False, soft_wrap=True)
    elif record.message:
        screen.print(record.message, markup=False, soft_wrap=True)
    if json_file:
        data = {"schema": CHECK_SCHEMA, "source": source, "spec": name, "verdict": verdict}
        write_file(json_file, json.dumps({**data, "result": record.as_json()}, indent=1) + "\n")
    return exit_code([record])


class _Clock:
    """What is left of a budget of seconds."""

    def __init__(self, budget: float) -> None:
        self._until = time.monotonic() + budget

    @property
    def left(self) -> float:
        """Seconds, at least one: what has begun is to end with a word."""
        return max(self._until - time.monotonic(), 1.0)

    @property
    def limits(self) -> Limits:
        """Of code of users that is run now."""
        return Limits(seconds=self.left)


def _question(
    source: str,
    interface: Interface,
    theorem: str,
    against: str | None,
    clock: _Clock,
    told: Callable[[str], None],
) -> Question:
    """What is to be decided.

    Raises:
        NetlistError, CatalogueError: if there is no such circuit, spec or function, or they do not fit.
    """
    from spikeproof.prover.running import checks
    from spikeproof.prover.running.functions import SpecFunction

    def read(inputs: Widths, outputs: Widths) -> tuple[Netlist, Interface]:
        told(f"reading {source}")
        return read_source(source, interface, clock.limits, inputs, outputs)

    def left() -> float:
        told(f"asking {theorem}")
        return clock.left

    if against is not None:
        told(f"reading {against}")
        other = read_other(against, interface, clock.limits, interface.inputs, interface.outputs)
        return checks.by_circuit(read, other, against)
    if ":" in theorem:
        return checks.by_function(read, SpecFunction.apart(theorem, clock.limits), left)
    return checks.by_theorem(read, named(theorem))


def _require_listable(question: Question, file: Path) -> None:
    """Refuse to list the failures of what cannot be enumerated on the way.

    Raises:
        click.UsageError: saying why.
    """
    from spikeproof.prover.commands.failures import require_listable  # loads LLVM

    if question.function:
        raise click.UsageError(
            f"--failures: {question.function.title} can only be asked about some inputs"
        )
    require_listable(question.obligation, question.circuit, file)


def _decided(
    question: Question, directory: Path | None, jobs: int, clock: _Clock, told: Callable[[str], None]
) -> tuple[Decision, Log]:
    """What comes of a question, and the log that has it, with circuit and claim beside it."""
    from spikeproof.prover.running.checks import decide
    from spikeproof.prover.running.run import Run

    cache = Cache.default()
    cache.require_usable()
    obligation, circuit = question.obligation, question.circuit
    log = Log.begin(
        directory or default_log_directory(circuit, [obligation.name]),
        command=shlex.join(["spikeproof", *sys.argv[1:]]),
        profile="part",
        promised=1,
        packages={obligation.package},
    )
    _keep(log, CIRCUIT_FILE, as_json(circuit))
    seconds = clock.left
    run = Run(
        timeout=seconds * ENGINES_SHARE,
        circuit=circuit,
        log=log,
        cache=cache,
        told=told,
        enumeration=seconds * (1 - ENGINES_SHARE),
    )
    decision = decide(question, lambda each: run.discharge(each, jobs), seconds)
    if question.function and not decision.claim:  # no obligation was discharged
        log.write(sealed(decision.record))
    if decision.claim:
        _keep(log, CLAIM_FILE, decision.claim.content)
    log.end(discharged=int(decision.record.green), complete=True)
    return decision, log


def _keep(log: Log, name: str, content: bytes) -> None:
    with storing(f"write a proof log to {log.directory}"):
        write_atomically(log.directory / name, content)


def _again(decision: Decision, log: Log) -> dict[str, str]:
    """How to have the counterexample again, and the log checked."""
    directory = nearby(log.directory)
    claim = f" --claim {_quoted(directory / CLAIM_FILE)}" if decision.claim else ""
    commands = {"proof log": str(directory)}
    if (kept := log.counterexample(decision.record.theorem)).exists():
        commands["replay it with"] = f"spikeproof replay {_quoted(nearby(kept))}{claim}"
    if verifying := _verifying(decision, log):
        commands["verify it with"] = verifying
    return commands


def _verifying(decision: Decision, log: Log) -> str:
    """The command that checks the log again, if there is anything to check."""
    if not decision.record.decided:
        return ""
    directory = nearby(log.directory)
    given = {"circuit": CIRCUIT_FILE, **({"claim": CLAIM_FILE} if decision.claim else {})}
    options = (f"--{option} {_quoted(directory / file)}" for option, file in given.items())
    return " ".join((f"spikeproof verify {_quoted(directory)}", *options))


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _as_json(source: str, spec: str, question: Question, decision: Decision, log: Log) -> dict[str, Any]:
    return {
        "schema": CHECK_SCHEMA,
        "source": source,
        "spec": spec,
        "verdict": verdict_text(source, decision.record, question.obligation.function),
        "matched": list(question.matched),
        "note": decision.note,
        "log": str(log.directory),
        "claim_sha256": decision.claim.sha256 if decision.claim else None,
        "result": decision.record.as_json(),
    }
