"""Circuits that a function of a user gives, which runs in a process of its own."""

import os
import sys

import pytest

from spikeproof.circuits.doors.apart import ForeignCodeError, Limits
from spikeproof.circuits.doors.sources import Interface, read_source
from spikeproof.circuits.netlist import NetlistError

MODULE = """
import os, sys, time
from spikeproof import NetlistBuilder

def conjunction():
    print("standard output is not for this")
    os.environ["CHANGED"] = "yes"
    sys.path.insert(0, "changed")
    builder = NetlistBuilder()
    (x,) = builder.input("x", 1)
    (y,) = builder.input("y", 1)
    return builder.build({"both": (builder.neuron([(x, 1), (y, 1)], 2),)})

def raises():
    raise ValueError("this\\nis wrong")

def hangs():
    os.system("sleep 1000 &")
    while True:
        time.sleep(1)

def nonsense():
    return 42

def ends():
    sys.exit(7)

def dies():
    os._exit(9)

def crashes():
    os.kill(os.getpid(), 11)

def eats():
    return bytearray(1 << 40)

number = 3
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a module in it, in which we are."""
    (tmp_path / "json.py").write_text("this is no Python")  # of a name that we need, too
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(source, **limits):
    netlist, _ = read_source(source, Interface(), Limits(**limits))
    return netlist


def test_a_factory_changes_nothing_here(here, capfd):
    path, environment = list(sys.path), dict(os.environ)
    assert read("mine:conjunction").output_widths == {"both": 1}
    assert (sys.path, dict(os.environ)) == (path, environment)
    assert "mine" not in sys.modules
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "standard output is not for this" in printed.err


def test_a_file_of_python(here):
    assert read(f"{here}/mine.py:conjunction") == read("mine:conjunction")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", r"it raises ValueError: this is wrong \(mine.py:15\)"),
        ("nonsense", "it gives something of type int; let it give a Netlist"),
        ("ends", "it ends Python with code 7; let it return"),
        ("dies", "its process ended with code 9 before it gave anything"),
        ("crashes", r"its process crashed \(SIGSEGV\) before it gave anything"),
        ("eats", "it needs more than 4096 MiB of memory"),
        ("number", "it is of type int; name a function"),
        ("lacks", "there is no lacks in mine"),
    ],
)
def test_what_goes_wrong_is_one_line(name, said, here):
    with pytest.raises(ForeignCodeError, match=rf"^mine:{name}: {said}[^\n]*$"):
        read(f"mine:{name}", memory_mib=4096)


def test_what_hangs_is_stopped(here):
    with pytest.raises(ForeignCodeError, match="mine:hangs: it did not end within 3 s"):
        read("mine:hangs", seconds=3)


@pytest.mark.parametrize("source", ["nowhere:f", "nowhere.py:f", "nowhere.json", "nowhere"])
def test_what_is_not_there(source, here):
    with pytest.raises(NetlistError, match=r"there is no module nowhere|cannot read nowhere"):
        read(source)
