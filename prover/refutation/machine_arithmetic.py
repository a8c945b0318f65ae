"""The machine's own arithmetic as a reference for exhaustive enumeration.

FP16 operations are done in FP32 and rounded to FP16. That rounds twice, which does no harm to sums,
products, quotients and square roots, since FP32 has at least 2 * 11 + 2 bits of precision (S. A.
Figueroa, "When is double rounding innocuous?", SIGNUM Newsletter 30(3), 1995); products are even exact
in FP32. Every NaN that the machine gives counts as the canonical one. All is done to nearest even with
subnormals, which is how a thread's arithmetic is set when it begins.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

from spikeproof.circuits.meanings.native import (
    BLOCK,
    ONES,
    PLANE,
    BlockFunction,
    part_text,
    processor_features,
    transposition,
    whole_text,
)
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.specs.formats import FORMATS, OPERANDS

_TYPES = {"fp16": "half", "fp32": "float"}


@dataclass(frozen=True)
class Instruction:
    """What the machine is asked.

    Attributes:
        mode: the rounding mode of the theorem of which it is the reference.
        instruction: LLVM's, on FP32 where it computes; ``{type}`` stands for the vector type of FP32,
            ``{integer}`` for that of 32-bit integers, ``{operands}`` for the operands.
    """

    instruction: str
    mode: str = "rne"
    policy: str = "ieee"


_UNCHANGED = Instruction("bitcast {operands} to {type}")
_ROOT = Instruction("call {type} @llvm.sqrt.v{lanes}f32({operands})")
_TO_SIGNED = "call {integer} @llvm.fptosi.sat.v{lanes}i32.v{lanes}f32({operands})"
_TO_UNSIGNED = "call {integer} @llvm.fptoui.sat.v{lanes}i32.v{lanes}f32({operands})"

INSTRUCTIONS = {
    ("fp16", "add", "fp16"): Instruction("fadd {operands}"),
    ("fp16", "subtract", "fp16"): Instruction("fsub {operands}"),
    ("fp16", "multiply", "fp16"): Instruction("fmul {operands}"),
    ("fp16", "divide", "fp16"): Instruction("fdiv {operands}"),
    ("fp16", "square_root", "fp16"): _ROOT,
    ("fp32", "square_root", "fp32"): _ROOT,
    ("fp16", "convert", "fp32"): _UNCHANGED,
    ("fp32", "convert", "fp16"): _UNCHANGED,
    ("fp32", "convert", "int32"): Instruction("sitofp {operands} to {type}"),
    ("fp32", "convert", "uint32"): Instruction("uitofp {operands} to {type}"),
    ("int32", "convert", "fp32"): Instruction(_TO_SIGNED, "rtz", "saturate"),
    ("uint32", "convert", "fp32"): Instruction(_TO_UNSIGNED, "rtz", "saturate"),
}
"""By format of the result, operation, and format of the operands."""


def machine_function(obligation: Obligation, netlist: Netlist) -> BlockFunction | None:
    """The machine's answer to what a theorem is about: its result, and that every input is compared.

    None where the machine has no instruction for it, in its formats, rounding mode and policy.
    """
    given = obligation.parameters
    target, operation = given.get("format", ""), given.get("operation", "")
    source = given.get("source", target)
    asked = INSTRUCTIONS.get((target, operation, source))
    if not asked or (asked.mode, asked.policy) != (given.get("mode"), given.get("policy")):
        return None
    if "convention" in given:
        return None
    if list(netlist.outputs) != ["result"] or ("fp16" in (target, source) and not _converts_halves()):
        return None
    firsts = [netlist.input_buses[name][0] for name in OPERANDS if name in netlist.inputs]
    return _compiled(asked, target, source, firsts, netlist.input_count)


def _converts_halves() -> bool:
    """Whether FP16 is converted by an instruction, not by a library that may not be there."""
    return platform.machine() in ("aarch64", "arm64") or processor_features().get("f16c", False)


def _compiled(
    asked: Instruction, target: str, source: str, firsts: Sequence[int], inputs: int
) -> BlockFunction:
    """The block function; ``firsts`` are the operands' lowest bits among the input bits."""
    bits = 16 if target == "fp16" else 32
    lanes = BLOCK // bits
    integer, single = f"<{lanes} x i32>", f"<{lanes} x float>"
    lines = [
        "%low = trunc i64 %first to i32",
        f"%one = insertelement {integer} poison, i32 %low, i64 0",
        f"%base = shufflevector {integer} %one, {integer} poison, {integer} zeroinitializer",
    ]
    for row in range(bits):
        r = f"r{row}"
        numbers = ", ".join(f"i32 {bits * lane + row}" for lane in range(lanes))
        lines.append(f"%{r}.number = or {integer} %base, <{numbers}>")
        operands = []
        for operand, first in enumerate(firsts):
            lines += _operand(f"{r}.{operand}", f"{r}.number", first, source, lanes)
            operands.append(f"%{r}.{operand}")
        kind = single if source in _TYPES else integer
        call = asked.instruction.format(
            type=single, integer=integer, lanes=lanes, operands=f"{kind} {', '.join(operands)}"
        )
        lines.append(f"%{r}.computed = {call}")
        lines += _result(r, target, lanes)
        lines.append(f"%{r}.place = getelementptr {PLANE}, ptr %out, i64 {row}")
        lines.append(f"store <{lanes} x i{bits}> %{r}.code, ptr %{r}.place, align 8")
    lines += [
        "call void @transpose(ptr %out)",
        f"%applies = getelementptr {PLANE}, ptr %out, i64 {bits}",
        f"store {PLANE} {ONES}, ptr %applies, align 8",
    ]
    declarations = (
        f"declare {single} @llvm.sqrt.v{lanes}f32({single})",
        f"declare {integer} @llvm.fptosi.sat.v{lanes}i32.v{lanes}f32({single})",
        f"declare {integer} @llvm.fptoui.sat.v{lanes}i32.v{lanes}f32({single})",
    )
    part, planes = part_text("machine.0", lines, "internal "), (inputs, bits + 1, 0)
    whole = whole_text("machine", ["@machine.0"], planes)
    text = "\n".join((*declarations, transposition(bits), part, whole))
    return BlockFunction("machine", text, *planes, operations=0)


def _operand(name: str, number: str, shift: int, source: str, lanes: int) -> list[str]:
    """An operand, from the number of the evaluation: FP32, or an integer."""
    integer = f"<{lanes} x i32>"
    shifts = f"<{', '.join([f'i32 {shift}'] * lanes)}>"
    if source == "fp16":
        return [
            f"%{name}.shifted = lshr {integer} %{number}, {shifts}",
            f"%{name}.code = trunc {integer} %{name}.shifted to <{lanes} x i16>",
            f"%{name}.half = bitcast <{lanes} x i16> %{name}.code to <{lanes} x half>",
            f"%{name} = fpext <{lanes} x half> %{name}.half to <{lanes} x float>",
        ]
    kind = f"<{lanes} x {_TYPES.get(source, 'i32')}>"
    return [f"%{name} = bitcast {integer} %{number} to {kind}"]


def _result(name: str, target: str, lanes: int) -> list[str]:
    """The code of what was computed, any NaN as the canonical one."""
    if target not in _TYPES:
        return [f"%{name}.code = bitcast <{lanes} x i32> %{name}.computed to <{lanes} x i32>"]
    fmt, kind = FORMATS[target], f"<{lanes} x {_TYPES[target]}>"
    codes = f"<{lanes} x i{fmt.width}>"
    nan = f"<{', '.join([f'i{fmt.width} {fmt.canonical_nan}'] * lanes)}>"
    conversion = "fptrunc" if target == "fp16" else "bitcast"
    return [
        f"%{name}.rounded = {conversion} <{lanes} x float> %{name}.computed to {kind}",
        f"%{name}.raw = bitcast {kind} %{name}.rounded to {codes}",
        f"%{name}.nan = fcmp uno <{lanes} x float> %{name}.computed, zeroinitializer",
        f"%{name}.code = select <{lanes} x i1> %{name}.nan, {codes} {nan}, {codes} %{name}.raw",
    ]
