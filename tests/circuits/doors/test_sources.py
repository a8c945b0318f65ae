"""Circuits that a function of a user gives, which runs in a process of its own."""

import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeproof.circuits.doors.apart import ForeignCodeError, Limits
from spikeproof.circuits.doors.sources import Interface, read_other, read_source
from spikeproof.circuits.meanings.boolean import evaluate
from spikeproof.circuits.netlist import NetlistError
from tests.support.apart import in_this_process

MODULE = """
import os, subprocess, sys, tempfile, time
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

def writes():
    with tempfile.NamedTemporaryFile() as allowed:
        os.mkdir(allowed.name + "x")
    open(__file__, "a").close()

def removes():
    os.remove(__file__)

def leaves():
    raise ValueError(subprocess.Popen(["sleep", "1000"]).pid)

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
        ("writes", "it raises PermissionError: only temporary files may be written here, not .*mine.py"),
        (
            "removes",
            "it raises PermissionError: only temporary files may be written here, not .*mine.py",
        ),
        ("nonsense", "it gives something of type int; let it give a Netlist or PyTorch module"),
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


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="asks Linux what a process does")
def test_what_it_has_started_ends_with_it(here):
    with pytest.raises(ForeignCodeError) as refusal:
        read("mine:leaves")
    (pid,) = re.findall(r"ValueError: (\d+)", str(refusal.value))
    until = time.monotonic() + 30
    while _runs(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _runs(pid)


def _runs(pid: str) -> bool:
    """Whether a process is there, and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.parametrize("source", ["nowhere:f", "nowhere.py:f", "nowhere.json", "nowhere"])
def test_what_is_not_there(source, here):
    with pytest.raises(NetlistError, match=r"there is no module nowhere|cannot read nowhere"):
        read(source)


NEURONS = """
import torch

class Greater(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.places = torch.tensor([[1.0], [2.0]])

    def forward(self, x, y):
        return ((x - y) @ self.places >= 1).float()

module = Greater()

def function():
    return lambda x, y: (x[:, :1] + y[:, :1] >= 2).float()

def remembering():
    class Integrator(torch.nn.Module):
        potential = 0
        def forward(self, x, y):
            self.potential = self.potential + x[:, :1] + y[:, :1]
            return (self.potential >= 2).float()
    return Integrator()

def over_time():
    def run(x, y):
        potential = (x + y)[..., :1].cumsum(0)
        return (potential >= 2).float()
    return run
"""
SPECS = {"x": 2, "y": 2}, {"more": 1}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A folder with modules in it, in which we are."""
    (tmp_path / "neurons.py").write_text(NEURONS)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def neurons(written, tmp_path):
    """Likewise, where nothing depends on the process that they run in."""
    with in_this_process(tmp_path):
        yield


def values(netlist):
    """The one output, by the inputs x and y of two bits."""
    x, y = np.divmod(np.arange(16), 4)
    (result,) = evaluate(netlist, dict(zip(netlist.inputs, (x, y), strict=True))).values()
    return result.astype(bool), x, y


@pytest.mark.parametrize("name", ["Greater", "module"])
def test_a_module_has_the_buses_of_a_spec_or_those_declared(name, neurons):
    netlist, left = read_source(f"neurons.py:{name}", Interface(), Limits(), *SPECS)
    assert (dict(netlist.inputs), netlist.output_widths) == SPECS
    found, x, y = values(netlist)
    assert (found == (x > y)).all()
    assert left == Interface()


def test_the_order_of_a_modules_bits_is_used_once(written):
    own = Interface({"a": 2, "b": 2}, order="msb")
    netlist, left = read_source("neurons:Greater", own, Limits(), *SPECS)
    assert dict(netlist.inputs) == {"a": 2, "b": 2}
    assert left.order == "lsb"
    found, x, y = values(netlist)
    reversed_bits = np.array([0, 2, 1, 3])
    assert (found == (reversed_bits[x] > reversed_bits[y])).all()


def test_a_function_of_tensors_and_a_module_that_remembers(neurons):
    found, x, y = values(read_source("neurons.py:function", Interface(), Limits(), *SPECS)[0])
    assert (found == (x & y & 1)).all()
    with pytest.raises(NetlistError, match=r"remembers between calls .potential.; .*--reset.*--time"):
        read_source("neurons.py:remembering", Interface(), Limits(), *SPECS)
    twice, _ = read_source("neurons.py:remembering", Interface(steps=2), Limits(), *SPECS)
    found, x, y = values(twice)
    assert (found == ((x | y) & 1)).all()


def test_a_module_whose_tensors_have_time(neurons):
    held, _ = read_source("neurons.py:over_time", Interface(steps=2, axes="tnb"), Limits(), *SPECS)
    found, x, y = values(held)
    assert (found == ((x | y) & 1)).all()
    with pytest.raises(NetlistError, match="say which axis is time"):
        read_source("neurons.py:over_time", Interface(), Limits(), *SPECS)


def test_a_module_whose_buses_nobody_has_named(neurons):
    with pytest.raises(NetlistError, match="gives a PyTorch module; name its buses with --inputs and"):
        read_source("neurons.py:module", Interface(), Limits())


def test_a_netlist_has_no_time(here):
    with pytest.raises(NetlistError, match="gives a Netlist, which has no memory; leave out the steps"):
        read_source("mine:conjunction", Interface(steps=1), Limits())


def test_what_is_said_of_memory_holds_for_what_is_compared_with_where_it_has_some(tmp_path):
    latch = ".model m\n.inputs x clk\n.outputs y\n.latch x y re clk 0\n.end\n"
    wire = ".model m\n.inputs x\n.outputs y\n.names x y\n1 1\n.end\n"
    for name, text in (("latch", latch), ("wire", wire)):
        (tmp_path / f"{name}.blif").write_text(text)
    timed, widths = Interface({"a": 1}, order="msb", steps=2), ({"a": 1}, None)
    read = {n: read_other(f"{tmp_path}/{n}.blif", timed, Limits(), *widths) for n in ("latch", "wire")}
    assert read["latch"] == replace(read["wire"], notes=read["latch"].notes)
    assert dict(read["latch"].inputs) == {"x": 1}
    assert "read in step 2, 1 registers" in read["latch"].notes[0]
    with pytest.raises(NetlistError, match=r"it has 1 registers; state in which step .* --time 3"):
        read_other(f"{tmp_path}/latch.blif", replace(timed, steps=None), Limits(), *widths)
    with pytest.raises(NetlistError, match="it has no registers, so no memory; leave out the steps"):
        read_source(f"{tmp_path}/wire.blif", timed, Limits())


def test_a_graph_of_nir_is_read_in_its_last_step_with_its_inputs_held(tmp_path):
    nir = pytest.importorskip("nir", reason="needs nir: pip install '.[nir]'")
    path = str(tmp_path / "integrator.nir")
    half = nir.IF(r=np.array([1.0]), v_threshold=np.array([1.5]), v_reset=np.array([0.0]))
    nodes = {"in": nir.Input(np.array([1])), "fire": half, "out": nir.Output(np.array([1]))}
    nir.write(path, nir.NIRGraph(nodes, [("in", "fire"), ("fire", "out")]))
    reading = (
        "constants=equations,strict=no,reset=zero,start=zero,dt=1,order=leak add fire,arithmetic=exact"
    )
    fires = []
    for steps in (1, 2, 3, 4):
        timed = Interface(reading=reading, steps=steps)
        netlist, _ = read_source(path, timed, Limits(), {"x": 1}, {"y": 1})
        assert (dict(netlist.inputs), netlist.output_widths) == ({"x": 1}, {"y": 1})
        assert evaluate(netlist, {"x": np.array([0])})["y"] == 0
        fires.append(int(evaluate(netlist, {"x": np.array([1])})["y"][0]))
    assert fires == [0, 1, 0, 1]  # the second spike reaches the threshold, and is forgotten
    with pytest.raises(NetlistError, match="NIR states no time step"):
        read_source(path, Interface(), Limits(), {"x": 1}, {"y": 1})
    with pytest.raises(NetlistError, match="name its buses with --inputs and --outputs"):
        read_source(path, Interface(reading=reading, steps=2), Limits())


def test_an_option_that_no_source_has_a_use_for():
    Interface(reading="norse").require_use("a.json", "b.nir")
    Interface(pure=True, reset=True).require_use("mine:module")
    with pytest.raises(NetlistError, match=r"a.json is no graph of NIR"):
        Interface(reading="norse").require_use("a.json")
    with pytest.raises(NetlistError, match=r"a.nir is no PyTorch module"):
        Interface(reset=True).require_use("a.nir")
