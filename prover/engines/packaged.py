"""Decides a file of SMT-LIB by an engine that is installed as a package; run as a program of its own.

    python packaged.py cvc5|bitwuzla FILE

It prints what the engine prints, and imports nothing of ours: the engine reads the file by itself.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType


def _cvc5(cvc5: ModuleType, file: str) -> None:
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("bitblast", "eager")
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, file)
    while not (command := parser.nextCommand()).isNull():
        sys.stdout.write(command.invoke(solver, parser.getSymbolManager()))


def _bitwuzla(bitwuzla: ModuleType, file: str) -> None:
    bitwuzla.Parser(bitwuzla.TermManager(), bitwuzla.Options()).parse(file)


if __name__ == "__main__":
    # Beside this file are modules with the names of packages.
    sys.path = [each for each in sys.path if Path(each).resolve() != Path(__file__).resolve().parent]
    name, file = sys.argv[1:]
    {"cvc5": _cvc5, "bitwuzla": _bitwuzla}[name](import_module(name), file)
    sys.stdout.flush()
