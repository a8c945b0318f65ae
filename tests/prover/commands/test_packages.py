"""Commands with some packages missing: what need not be there is asked for in one line."""

import subprocess
import sys

import pytest

from spikeproof.prover.commands.cli import COMMANDS, EXTRAS

SOLVERS = ("z3", "pysat", "pysolvers", "bitwuzla")


def run_without(packages, *arguments):
    """A command in a process that cannot import some packages."""
    absent = "".join(f"sys.modules[{name!r}] = None; " for name in packages)
    program = f"import sys; {absent}from spikeproof.prover.commands.cli import main; main()"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_proving_and_verifying_need_no_extra(tmp_path):
    log = tmp_path / "log"
    proved = run_without(EXTRAS, "prove", "cell.ionic.and", "--no-cache", "--log", log)
    assert proved.returncode == 0, proved.stderr
    verified = run_without({*EXTRAS, *SOLVERS}, "verify", log)
    assert verified.returncode == 0, verified.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_no_extra_and_no_solver(command):
    assert run_without({*EXTRAS, *SOLVERS}, command, "--help").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        (("energy", "cell.ionic.and"), "torch", "torch"),
        (("exhaust", "cell.ionic.and", "--device", "cpu"), "torch", "torch"),
        (("margins", "--units"), "torch", "torch"),
    ],
)
def test_what_an_extra_is_needed_for_names_it(arguments, package, extra):
    refused = run_without((package,), *arguments)
    assert refused.returncode == 2
    assert refused.stderr == f"spikeproof: this needs {package}: pip install 'spikeproof[{extra}]'\n"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A proof log of one theorem."""
    folder = tmp_path_factory.mktemp("proved")
    with pytest.MonkeyPatch.context() as own:
        own.setenv("SPIKEPROOF_STATE", str(folder / "state"))
        run_without((), "prove", "cell.ionic.and", "--no-cache", "--log", folder / "log")
    return folder / "log"


@pytest.mark.parametrize(
    ("form", "package"), [("html", "matplotlib"), ("latex", "pylatexenc"), ("junit", "junitparser")]
)
def test_a_report_names_the_extra_of_its_own_form(form, package, log, tmp_path):
    refused = run_without((package,), "report", log, f"--{form}", tmp_path / "report")
    assert refused.returncode == 2
    assert refused.stderr == f"spikeproof: this needs {package}: pip install 'spikeproof[report]'\n"
    assert not (tmp_path / "report").exists()


def test_a_report_on_the_screen_needs_no_extra(log):
    assert run_without(EXTRAS, "report", log).returncode == 0


def test_a_form_needs_no_package_of_another(log):
    assert run_without(("matplotlib", "junitparser"), "report", log, "--markdown", "-").returncode == 0


def test_a_solver_that_is_missing_is_named(tmp_path):
    refused = run_without(("z3",), "prove", "cell.ionic.and", "--no-cache", "--log", tmp_path / "log")
    assert refused.returncode == 2
    assert refused.stderr.endswith("spikeproof: engine 'z3' is not installed: pip install 'z3-solver'\n")
