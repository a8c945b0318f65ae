"""The fuzz of the readers: it finds what is there, and a short run of it finds nothing."""

import math
from random import Random

from benchmarks.fuzz_readers import Door, Run, all_doors
from benchmarks.mutation_of_files import changed_words


def test_files_that_nobody_meant_are_read_or_refused(tmp_path):
    doors = {name: door for name, door in all_doors().items() if not door.apart}
    run = Run(doors, tmp_path, math.inf)
    run.require_valid_seeds()
    draw, seeds = Random(1), run.seeds
    for _ in range(150):
        run.one(run.changed(draw.choice(seeds), draw.getrandbits(32)))
    assert not run.found
    assert sum(run.refused.values()) > 50


def divided(path):
    if not path.read_bytes().isdigit():
        raise ValueError("this\nis no number")
    return 1 / int(path.read_bytes())


def test_a_crash_and_a_refusal_of_two_lines_are_findings(tmp_path):
    door = Door([b"17"], divided, changed_words, (ValueError,))
    run = Run({"reciprocal": door}, tmp_path, math.inf)
    for content in (b"17", b"00", b"0", b"000"):
        run.one(b"\0" + content)
    (crash,) = run.found
    assert crash.startswith("reciprocal: ZeroDivisionError at test_fuzz.py:")
    assert run.found[crash] == 3
    assert (tmp_path / "finding-0").read_bytes() == b"0"  # the smallest of them
    run.one(b"\0x")
    assert any("refused in more than a line" in what for what in run.found)
    assert run.read["reciprocal"] == 1
