"""The arguments in Coq: they compile, assume nothing, need each premise, and modules name them."""

import ast
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.profile import one_of_each

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "proofs/mechanised").glob("*.v"))
JUSTIFIED = {
    "algebra": ["prover/kernel/algebra.py"],
    "bit_sums": ["prover/kernel/bit_sums.py"],
    "clocked": ["circuits/clocked.py", "proofs/latches.py", "proofs/loops.py"],
    "composition": ["prover/kernel/composition.py", "prover/kernel/beside.py"],
    "congruence": ["prover/kernel/congruence.py"],
    "counting": ["prover/kernel/counting.py"],
    "following": ["prover/kernel/following.py"],
    "leak": ["circuits/physics/leak.py"],
    "recurrence": ["prover/kernel/recurrence.py"],
    "redundant": ["prover/kernel/redundant.py", "prover/kernel/settling.py"],
    "searching": ["prover/kernel/searching.py"],
    "splitting": ["prover/kernel/splitting.py"],
    "telescoping": ["prover/kernel/telescoping.py"],
}
"""By file, the modules that rest on its argument."""

SECTION = re.compile(r"^Section \w+\.\n.*?^End \w+\.\n", re.MULTILINE | re.DOTALL)
SECTION_OR_NOT = re.compile(f"({SECTION.pattern})", SECTION.flags)
THEOREM = re.compile(r"^Theorem (\w+)", re.MULTILINE)
PREMISE = re.compile(
    r"^Hypothesis (?P<name>\w+) :\s(?P<said>.*?)\.\n(?:\(\* not enough: (?P<weaker>.*?) \*\)\n)?",
    re.MULTILINE | re.DOTALL,
)
UNPROVED = re.compile(
    r"\b(Axioms?|Parameters?|Conjectures?|Admitted|admit|Context|Unset|bypass_check)\b"
)
ASSUMED = re.compile(r"\b(Variables?|Hypothes[ie]s)\b")
CLOSED = "Closed under the global context"


def without_comments(text):
    """Comments are not nested in these files."""
    return re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL)


@dataclass(frozen=True)
class Variant:
    """A section of a file with one premise in a weaker form, or with nothing said in its place."""

    file: str
    section: str
    premise: str
    kind: str
    theorems: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return "-".join((self.file, self.section, self.premise, self.kind))


def variants(stem, text):
    """All variants of a file."""
    for section in SECTION.findall(text):
        name, theorems = section.split()[1].rstrip("."), tuple(THEOREM.findall(section))
        for premise in PREMISE.finditer(section):
            start, end = premise.span("said")
            for kind, instead in (("weaker", premise["weaker"]), ("dropped", "True")):
                if instead:
                    changed = section[:start] + instead + section[end:]
                    yield Variant(stem, name, premise["name"], kind, theorems, changed)


TRIED = one_of_each(
    (each for file in FILES for each in variants(file.stem, file.read_text())),
    lambda variant: variant.kind,
)
"""One of each kind, of any file; by night, and for ``make mechanised``, which CI runs as well, all."""


def session(text, tried):
    """What Coq is told: before each section its variants, of which nothing is kept; then the section."""
    told = []
    for part in SECTION_OR_NOT.split(text):
        for number, variant in enumerate(tried):
            if not part.startswith(f"Section {variant.section}.\n"):
                continue
            name = f"variant_{number}"
            told += (f"Definition {name} := tt.\nCheck {name}.\n", variant.text, "Abort All.\n")
            told += (f"Check @{theorem}.\n" for theorem in variant.theorems)
            told.append(f"Reset {name}.\nCheck tt.\n")
        told.append(part)
    return "".join(("Set Silent.\n", *told))


def answers(text, tried):
    """What Coq says, without its prompts: of the file, and of each variant."""
    if not shutil.which("coqtop"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs coqtop; run: apt-get install coq")
    with TemporaryDirectory() as folder:  # where Coq leaves what it remembers
        said = subprocess.run(
            ["coqtop", "-q"],
            input=session(text, tried),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            text=True,
            timeout=300,
            check=True,
        ).stdout
    plain = re.sub(r"^(?:\w+ < )+", "", said, flags=re.MULTILINE)
    of_file, *others = re.split(r"^variant_\d+\n     : unit\n", plain, flags=re.MULTILINE)
    of_variants = []
    for answer in others:
        of_variant, rest = re.split(r"^tt\n     : unit\n", answer, maxsplit=1, flags=re.MULTILINE)
        of_variants.append(of_variant)
        of_file += rest
    return of_file, of_variants


def require_refused(variant, said):
    """A proof of a variant's section fails, by something else than a slip of the test."""
    first = re.search(r"^Error:(.*?)\n\n", said, re.MULTILINE | re.DOTALL)
    assert first, f"{variant} is proved"
    assert not re.search(r"[Ss]yntax|was not found", first[1]), f"{variant}: {first[1]}"
    lost = re.findall(r"^Error: The reference (\w+) was not found", said, re.MULTILINE)
    assert set(variant.theorems) & set(lost), f"{variant} is proved"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_argument_is_proved_and_each_premise_needed(file):
    tried = [variant for variant in TRIED if variant.file == file.stem]
    of_file, of_variants = answers(file.read_text(), tried)
    assert "Error" not in of_file
    assert of_file.count(CLOSED) == 1
    assert "Axioms:" not in of_file
    for variant, said in zip(tried, of_variants, strict=True):
        require_refused(variant, said)


EXAMPLE = """
Section Example.
Variables a b : nat.
Hypothesis needed : a = b.
Hypothesis idle : b = a.
Theorem example : b = a.
Proof. symmetry. exact needed. Qed.
End Example.
Axiom extra : 1 = 1.
Definition proved := (example, extra).
Print Assumptions proved.
"""


def test_what_is_not_needed_or_assumed_is_noticed():
    needed, idle = variants("example", EXAMPLE)
    of_file, (without_needed, without_idle) = answers(EXAMPLE, [needed, idle])
    assert CLOSED not in of_file
    require_refused(needed, without_needed)
    with pytest.raises(AssertionError, match="Example-idle-dropped is proved"):
        require_refused(idle, without_idle)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_is_left_unproved(file):
    text = without_comments(file.read_text())
    assert not UNPROVED.search(text)
    assert not ASSUMED.search(SECTION.sub("", text))
    (proved,) = re.findall(
        r"^Definition proved := (.*?)\.\nPrint Assumptions proved\.\n\Z", text, re.M | re.S
    )
    assert re.findall(r"\w+", proved) == THEOREM.findall(text)
    assert text.count("Qed.") == len(re.findall(r"^(?:Theorem|Lemma) ", text, re.M))


def test_arguments_are_named_in_the_modules_that_they_justify():
    assert [file.stem for file in FILES] == sorted(JUSTIFIED)
    soundness = (ROOT / "SOUNDNESS.md").read_text()
    for file in FILES:
        name = file.relative_to(ROOT).as_posix()
        assert name in soundness
        for module in JUSTIFIED[file.stem]:
            assert module in file.read_text(), f"{name} does not name {module}"
            assert name in ast.get_docstring(ast.parse((ROOT / module).read_text())), module
