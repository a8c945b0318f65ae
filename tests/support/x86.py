"""This machine's own scalar arithmetic, with its control and status register: what x86 does.

Nothing of the project is used but names of modes. LLVM compiles a loop around one instruction.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache

import llvmlite.binding as llvm
import numpy as np

MODES = {"rne": 0, "rtn": 1 << 13, "rtp": 2 << 13, "rtz": 3 << 13}
"""Rounding control (SDM 10.2.3)."""
DAZ, FTZ, MASKED = 1 << 6, 1 << 15, 0x1F80
FLAGS = {"invalid": 0, "divide_by_zero": 2, "overflow": 3, "underflow": 4, "inexact": 5}
"""The exceptions' bits there; bit 1 says that an operand was subnormal."""

INSTRUCTIONS = {
    "add": "addss $5, $0",
    "subtract": "subss $5, $0",
    "multiply": "mulss $5, $0",
    "divide": "divss $5, $0",
    "square_root": "sqrtss $4, $0",
    "fma": "vfmadd132ss $5, $6, $0",
}
"""In the assembler's AT&T syntax; $0 is the result, which begins as x; $4 is x, $5 y, $6 z."""

PREDICATES = {
    "equal": 0,
    "signalling_less": 1,
    "signalling_less_equal": 2,
    "unordered": 3,
    "not_equal": 4,
    "signalling_not_less": 5,
    "signalling_greater_unordered": 6,
    "ordered": 7,
    "signalling_less_unordered": 9,
    "signalling_not_greater": 10,
    "signalling_greater_equal": 13,
    "signalling_greater": 14,
    "signalling_equal": 16,
    "less": 17,
    "less_equal": 18,
    "signalling_not_equal": 20,
    "not_less": 21,
    "greater_unordered": 22,
    "less_unordered": 25,
    "not_greater": 26,
    "greater_equal": 29,
    "greater": 30,
}
"""Comparisons by their number in VCMPSS (SDM volume 2, table 3-1), of which the result is a mask."""

OTHER_INSTRUCTIONS = {
    "round_to_integral": "roundss $$4, $4, $0",
    "to_int32": r"cvtss2si $4, %eax\0A movd %eax, $0",
    "x86_minimum": "minss $5, $0",
    "x86_maximum": "maxss $5, $0",
    **{name: f"vcmpss $${code}, $5, $4, $0" for name, code in PREDICATES.items()},
}
"""What is no arithmetic."""

_ASM = (
    r'asm sideeffect "ldmxcsr $2\0A INSTRUCTION\0A stmxcsr $1", "=&x,=*m,*m,0,x,x,x,~{memory},~{eax}"'
    "(ptr elementtype(i32) %register, ptr elementtype(i32) %register, "
    "float %a, float %a, float %b, float %c)"
)

_LOOP = """
define void @run(ptr %x, ptr %y, ptr %z, ptr %out, ptr %status, i64 %count, i32 %control) {
entry:
  %register = alloca i32
  %saved = alloca i32
  call void asm sideeffect "stmxcsr $0", "=*m,~{memory}"(ptr elementtype(i32) %saved)
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  store i32 %control, ptr %register
  %px = getelementptr float, ptr %x, i64 %i
  %py = getelementptr float, ptr %y, i64 %i
  %pz = getelementptr float, ptr %z, i64 %i
  %a = load float, ptr %px
  %b = load float, ptr %py
  %c = load float, ptr %pz
  %r = call float ASM
  %po = getelementptr float, ptr %out, i64 %i
  store float %r, ptr %po
  %s = load i32, ptr %register
  %ps = getelementptr i32, ptr %status, i64 %i
  store i32 %s, ptr %ps
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %count
  br i1 %more, label %loop, label %done
done:
  call void asm sideeffect "ldmxcsr $0", "*m,~{memory}"(ptr elementtype(i32) %saved)
  ret void
}
"""

AVAILABLE = platform.machine() == "x86_64" and bool(llvm.get_host_cpu_features().get("fma"))


@cache
def _compiled(operation: str) -> tuple[llvm.ExecutionEngine, int]:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()
    module = llvm.parse_assembly(
        _LOOP.replace("ASM", _ASM.replace("INSTRUCTION", (INSTRUCTIONS | OTHER_INSTRUCTIONS)[operation]))
    )
    features = llvm.get_host_cpu_features().flatten()
    machine = llvm.Target.from_default_triple().create_target_machine(features=features)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine, engine.get_function_address("run")


def fp32(operation: str, control: int, *operands: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Results as codes, and flags in the order of ``FLAGS``, of an instruction on FP32 codes.

    Args:
        control: of ``MODES``, ``DAZ`` and ``FTZ``; exceptions are masked.
    """
    given = [np.ascontiguousarray(each, np.uint32) for each in operands]
    given += given[-1:] * (3 - len(given))
    out, status = (np.zeros_like(given[0]) for _ in range(2))
    _, address = _compiled(operation)
    kinds = [ctypes.c_void_p] * 5 + [ctypes.c_int64, ctypes.c_int32]
    run = ctypes.CFUNCTYPE(None, *kinds)(address)
    run(*(each.ctypes.data for each in (*given, out, status)), len(out), control | MASKED)
    flags = sum((status >> bit & 1) << place for place, bit in enumerate(FLAGS.values()))
    return out, flags
