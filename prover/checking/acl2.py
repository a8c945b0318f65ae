"""A checker of clausal proofs that is itself proved: the book ``projects/sat/lrat/incremental`` of ACL2.

Its theorem, which ``acl2.lisp`` repeats, says that a formula which it returns has no solution. It is
asked for that formula, which must be the one in question to the last octet: what the file that it has
read means is then no question any more.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Timer

SCRIPT = Path(__file__).with_suffix(".lisp")

DEBIAN = "acl2 acl2-books acl2-books-source acl2-books-certs"
"""The packages of Debian and Ubuntu that it takes."""

SECONDS = 600.0
"""What a proof may take; the longest known takes two."""

ENOUGH = 1 << 24
"""Octets of proofs after which ACL2 is begun anew: of each it keeps some 40 of memory."""


class Acl2Error(Exception):
    """ACL2 does not accept a proof, or does not run; the message says why."""


class Acl2:
    """A process of ACL2, which is given one proof after another until it refuses one.

    Raises:
        Acl2Error: if it does not run, or the book is not there, certified, with its theorem.
    """

    def __init__(self) -> None:
        self._read = 0
        # No file of the user's is read before the book.
        environment = os.environ | {"ACL2_CUSTOMIZATION": "NONE"}
        try:
            self._process = subprocess.Popen(
                ["acl2"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=environment,
            )
        except OSError as error:
            raise Acl2Error(f"ACL2 does not run: {error}; install {DEBIAN}") from None
        if "ready" not in self._answer(SCRIPT.read_text()):
            self.end()
            raise Acl2Error(f"ACL2 has not the book of its checker, certified; install {DEBIAN}")

    @property
    def spent(self) -> bool:
        """Whether it has read enough."""
        return self._read > ENOUGH

    def refute(self, formula: Path, proof: Path, refuted: Path) -> None:
        """Have it check a proof in binary LRAT, and write the formula that is refuted, as DIMACS.

        Raises:
            Acl2Error: if it does not say that it does; then it is ended.
        """
        self._read += proof.stat().st_size
        said = self._answer(f'(refute "{formula}" "{proof}" "{refuted}" state)')
        if said.count("s VERIFIED") != 1:
            # After an error within Lisp it would take what comes next for Lisp, where nothing is proved.
            self.end()
            words = " ".join(" ".join(said).replace("*", " ").split())
            raise Acl2Error(f"ACL2 does not accept the proof: {words[-200:]}")

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _answer(self, text: str) -> list[str]:
        """The lines that it writes when it reads a text; the last one says so, if it ended."""
        said: list[str] = []
        last = Timer(SECONDS, self._process.kill)
        last.start()
        with suppress(OSError):  # it has ended
            print(text, '(cw "~%; read~%")', file=self._process.stdin, flush=True)
        for line in self._process.stdout or ():
            if line == "; read\n":
                last.cancel()
                return said
            said.append(line.rstrip("\n"))
        last.cancel()
        return [*said, f"it ended, or was ended after {SECONDS:g} s"]
