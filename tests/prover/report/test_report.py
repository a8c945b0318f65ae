"""Reports of a proof log: what they say, that nothing in a log breaks them, and that they work."""

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from spikeproof.circuits.physics.substrates import Reset
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.commands.report import report
from spikeproof.prover.evidence.log import LogError, read_log
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.report.bibtex import bibtex_entry
from spikeproof.prover.report.counterexamples import counterexample
from spikeproof.prover.report.html import PAGE, html_page
from spikeproof.prover.report.junit import junit_xml
from spikeproof.prover.report.latex import latex_table
from spikeproof.prover.report.margin_plots import margin_plots
from spikeproof.prover.report.markdown import markdown_summary
from spikeproof.prover.report.summary import cautions, failures, groups, log_in_short
from spikeproof.prover.running.discharge import discharge
from tests.support.command_line import spikeproof
from tests.support.installed import needs
from tests.support.logs import HOSTILE, RECORDS, digest, many, record, write_log

pytestmark = pytest.mark.filterwarnings("ignore:Glyph")  # of which the plots have not all

ROOT = Path(__file__).parents[3]


class Kept(NamedTuple):
    """What plots of margins look at in a record."""

    theorem: str
    green: bool


PROVED = [each for each in RECORDS if each["outcome"] == each["expected"]]
HOSTILE_MANIFEST = {"command": HOSTILE, "commit": HOSTILE, "versions": {"spikeproof": HOSTILE}}


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A folder for logs that many tests read."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def log(logs):
    return read_log(write_log(logs / "log"))


@pytest.fixture(scope="module")
def sound_log(logs):
    return read_log(write_log(logs / "sound", PROVED))


@pytest.fixture(scope="module")
def large_log(logs):
    return read_log(write_log(logs / "large", list(many(2500))))


@pytest.fixture(scope="module")
def html():
    """The page of a log, made once."""
    made = {}

    def page_of(log):
        if id(log) not in made:
            made[id(log)] = log, html_page(log)
        return made[id(log)][1]

    return page_of


@pytest.fixture(scope="module")
def hostile_log(logs):
    """Wherever there may be any text, there is the worst."""
    parameters = {"operation": "add", "library": HOSTILE, "mode": HOSTILE}
    engines = [{"name": HOSTILE, "version": HOSTILE, "options": HOSTILE}]
    hostile = [
        record(
            "fp16.add.hostile", parameters={"format": HOSTILE, "operation": HOSTILE}, notes=[HOSTILE]
        ),
        record("fp16.add.plotted", parameters=parameters | {"format": "fp16"}, engines=engines),
        record("fp32.add.plotted", parameters=parameters | {"format": "fp32"}, engines=engines),
        record("cell.a", "refuted", counterexample={HOSTILE: 1 << 99}, parameters={"format": "e1m0"}),
    ]
    return read_log(write_log(logs / "hostile", [*RECORDS, *hostile], **HOSTILE_MANIFEST))


# --- the command ----------------------------------------------------------------------------------

ALL = {
    "--html": "page",
    "--latex": "t.tex",
    "--bibtex": "t.bib",
    "--markdown": "t.md",
    "--junit": "t.xml",
}


def run(*arguments):
    """The command, in this process."""
    report.main([str(argument) for argument in arguments], standalone_mode=False)


def everything(directory):
    """The options that write every report into a directory."""
    return [argument for option, name in ALL.items() for argument in (option, directory / name)]


def test_every_report_is_written_whole_and_the_same_each_time(tmp_path):
    directory = write_log(tmp_path / "log")
    written = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        run(directory, *everything(tmp_path / name))
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        assert [path.name for path in files] == ["index.html", "t.bib", "t.md", "t.tex", "t.xml"]
        written.append([path.read_bytes() for path in files])
    assert written[0] == written[1]


def test_errors_are_one_line_and_exit_with_2(tmp_path):
    code = "from spikeproof.prover.commands.cli import main; main()"
    command = [sys.executable, "-c", code, "report", tmp_path, "--latex", tmp_path / "t.tex"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "has no manifest.json" in line
    assert "Traceback" not in ended.stderr


def test_without_options_a_summary_is_shown(tmp_path):
    directory = write_log(tmp_path / "log")
    shown = spikeproof("report", directory)
    assert shown.returncode == 0
    assert shown.stderr == ""
    assert f"{len(RECORDS)} theorems: " in shown.stdout
    red = [each["theorem"] for each in RECORDS if each["outcome"] != each["expected"]]
    assert all(f": {theorem}\n" in shown.stdout for theorem in red)
    assert read_log(directory).manifest_sha256 in shown.stdout


def test_the_summary_is_short_and_commands_a_terminal_nothing(tmp_path):
    red = [record(f"cell.ionic.gate_{i}", "timeout") for i in range(100)]
    text = log_in_short(read_log(write_log(tmp_path / "log", red, command=HOSTILE)))
    assert "\x1b" not in text
    assert "  and 80 others\n" in text
    assert len(text.splitlines()) < 40


def test_an_abbreviation_keeps_its_capitals(tmp_path):
    directory = write_log(tmp_path / "log")
    (directory / "manifest.json").write_text("no JSON")
    with pytest.raises(LogError, match=r"manifest\.json: JSON is malformed"):
        read_log(directory)


def test_an_unwritable_target_is_named_before_anything_is_written(tmp_path):
    directory = write_log(tmp_path / "log")
    (tmp_path / "file").touch()
    for option, target in (("--junit", tmp_path / "no" / "t.xml"), ("--html", tmp_path / "file")):
        with pytest.raises(click.BadParameter, match="cannot"):
            run(directory, "--latex", tmp_path / "t.tex", option, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "log"]


def without(name):
    return lambda data: {key: value for key, value in data.items() if key != name}


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda data: data | {"schema": "spikeproof-record-2"}, r"spikeproof-record-2.*\$\.schema"),
        (lambda data: data | {"seconds": "long"}, r"Expected `float`, got `str`.*\$\.seconds"),
        (lambda data: data | {"outcome": "fine"}, r"'fine'.*\$\.outcome"),
        (lambda data: data | {"lemmas": [{}]}, r"missing required field.*\$\.lemmas\[0\]"),
        (without("seal"), "missing required field `seal`"),
        (lambda data: data | {"theorem": "cell.ionic.or"}, "is a record of cell.ionic.or"),
        (lambda data: [], "Expected `object`, got `array`"),
    ],
)
def test_a_damaged_record_is_named(tmp_path, damage, complaint):
    directory = write_log(tmp_path / "log", [record("cell.ionic.xor")])
    path = directory / "records" / "cell.ionic.xor.json"
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(LogError, match=complaint) as error:
        read_log(directory)
    assert "cell.ionic.xor.json" in error.value.message
    assert len(error.value.message.splitlines()) == 1


@pytest.mark.parametrize("text", ["", "{", "\udcff", '{"schema": "spikeproof-manifest-2"}'])
def test_a_damaged_manifest_is_named(tmp_path, text):
    directory = write_log(tmp_path / "log")
    (directory / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(LogError, match=r"cannot read .*manifest\.json: .*; run the proofs anew"):
        read_log(directory)


# --- what a log is good for -------------------------------------------------------------------------


def test_a_sound_log_has_no_remarks(sound_log):
    assert failures(sound_log) == cautions(sound_log) == []
    assert "Every promised theorem is discharged: 6." in html_page(sound_log)
    for text in (latex_table(sound_log), bibtex_entry(sound_log), markdown_summary(sound_log)):
        assert "5 proved, 1 refuted (as promised)" in text
        assert "not as promised" not in text


UNSOUND = {
    "There are records of 6 of 8 theorems.": {"promised": 8},
    "The run ended before every theorem was tried.": {"complete": False},
    "The run has not ended: it was interrupted, or goes on.": {"complete": False, "finished": None},
    "The run was of a part of the suite.": {"profile": "part"},
    "The source is of no known commit.": {"commit": None},
    "The source had changes that were not committed.": {"modified": True},
    "6 records of another source than the manifest's.": {"source_sha256": "0" * 64},
}


def test_what_circuits_note_of_themselves_is_said_everywhere(tmp_path):
    noted = [each | {"notes": ["imported, and only sampled"]} for each in PROVED]
    log = read_log(write_log(tmp_path / "log", noted))
    require_said(log, "Note on the circuit: imported, and only sampled.")


@pytest.mark.parametrize(("remark", "manifest"), UNSOUND.items(), ids=lambda value: str(value)[:40])
def test_what_is_wrong_with_a_run_is_said_everywhere(tmp_path, remark, manifest):
    require_said(read_log(write_log(tmp_path / "log", PROVED, **manifest)), remark)


def require_said(log, remark):
    """It is the one remark, in every form."""
    assert [*failures(log), *cautions(log)] == [remark]
    for form in (latex_table, markdown_summary):
        assert remark in form(log)
    assert remark.rstrip(".") in bibtex_entry(log)
    assert remark.replace("'", "&#39;") in html_page(log)


def test_a_log_of_a_given_circuit_says_so(tmp_path):
    """Found by a reader: cited, it read as if ours were refuted, or another's were proved to be ours."""
    given = record("fp8_e4m3fn.add.rne", parameters={"circuit": digest("mine")})
    log = read_log(write_log(tmp_path / "log", [given]))
    remark = f"The theorems are of a circuit that was given, of SHA-256 {digest('mine')}."
    assert remark in cautions(log)
    assert remark in log_in_short(log)
    entry = bibtex_entry(log)
    assert remark.rstrip(".") in entry
    assert "title = {{Proof log of spikeproof, of a circuit that was given: 1 proved}}" in entry
    assert digest("mine") in latex_table(log)
    assert digest("mine") in markdown_summary(log)
    assert digest("mine") in html_page(log)


def test_theorems_come_with_numbers_in_order(tmp_path):
    names = ["block.adder.9", "block.adder.10", "block.adder.100"]
    log = read_log(write_log(tmp_path / "log", [record(name) for name in names]))
    assert [each.theorem for each in log.records] == names


# --- JUnit ------------------------------------------------------------------------------------------


def test_junit_has_a_case_a_theorem_which_passes_only_as_promised(log):
    root = ElementTree.fromstring(junit_xml(log))
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "10",
        "failures": "1",
        "errors": "3",
        "skipped": "0",
    }
    cases = {
        case.get("name"): [(child.tag, child.get("type")) for child in case]
        for case in root.iter("testcase")
    }
    assert list(cases) != []
    assert cases.pop("fp8_e4m3fn.multiply.rne") == [("failure", "refuted")]
    assert cases.pop("fp64.add.rne") == [("error", "timeout")]
    assert cases.pop("fp64.fma.rne") == [("error", "error")]
    assert cases.pop("tf32.divide.rne") == [("error", "unknown")]
    assert set(cases) == {each["theorem"] for each in PROVED}
    assert not any(cases.values())
    (failure,) = root.iter("failure")
    assert "input x          1 0000 100 (0x84)" in failure.text


def test_junit_of_a_promised_refutation_that_was_proved_instead(tmp_path):
    log = read_log(write_log(tmp_path / "log", [record("cell.a", "proved", "refuted")]))
    (failure,) = ElementTree.fromstring(junit_xml(log)).iter("failure")
    assert failure.get("message") == "PROVED, but refuted was promised"


def test_junit_of_an_incomplete_run_does_not_pass(tmp_path):
    log = read_log(write_log(tmp_path / "log", PROVED, complete=False, promised=9))
    root = ElementTree.fromstring(junit_xml(log))
    (error,) = root.iter("error")
    assert error.get("message") == (
        "The run ended before every theorem was tried. There are records of 6 of 9 theorems."
    )
    assert root.get("errors") == "1"


def test_junit_takes_any_text(hostile_log):
    root = ElementTree.fromstring(junit_xml(hostile_log))
    assert HOSTILE.replace("\x1b", "\ufffd") in "".join(error.text for error in root.iter("error"))


# --- Markdown ---------------------------------------------------------------------------------------


def test_markdown_shows_counterexamples_and_a_table(log):
    text = markdown_summary(log)
    assert "### REFUTED: fp8\\_e4m3fn.multiply.rne" in text
    assert "result, spec     1 0000 001 (0x81)" in text
    assert "| fp8\\_e4m3fn | multiply | 1 | **1 REFUTED** | 261 | 42 | 0.50 s | 0.50 s |" in text
    assert text.index("REFUTED: ") < text.index("| format or family") < text.index("<details>")


def test_markdown_takes_any_text(hostile_log):
    text = markdown_summary(hostile_log)
    outside = re.sub(r"(`{3,})text\n.*?\n\1", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", outside)
    assert "\\<script\\>" in outside
    rows = [line for line in outside.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows} == {9}


def test_markdown_of_a_disaster_stays_short_enough_for_github(tmp_path):
    records = [record(f"cell.made.{index}", "error", message="no " * 500) for index in range(3000)]
    text = markdown_summary(read_log(write_log(tmp_path / "log", records)))
    assert len(text.encode()) < 1 << 20
    assert "2800 more are not as promised" in text


# --- LaTeX and BibTeX -------------------------------------------------------------------------------


def entry_fields(entry):
    """The fields of a BibTeX entry, braces counted."""
    assert re.match(r"@misc\{spikeproof-[0-9a-f]{12},\n", entry)
    depth, start, fields = 0, 0, {}
    for index, sign in enumerate(entry):
        depth += (sign == "{") - (sign == "}")
        assert depth > 0 or index < entry.index("{") or index >= len(entry) - 2
        if sign in ",}" and depth == (1 if sign == "," else 0):
            name, equals, value = entry[start:index].partition(" = ")
            if equals:
                fields[name.strip()] = value
            start = index + 1
    assert depth == 0
    return fields


def test_bibtex_cites_the_log(log):
    fields = entry_fields(bibtex_entry(log))
    assert fields["year"] == "{2026}"
    assert fields["version"] == "{0.1.0}"
    assert fields["theorems"] == "{10}"
    assert fields["commit"] == f"{{{log.manifest.commit}}}"
    assert fields["source-sha256"] == f"{{{log.manifest.source_sha256}}}"
    assert fields["manifest-sha256"] == f"{{{log.manifest_sha256}}}"
    assert log.manifest_sha256 in fields["note"].replace("\\allowbreak ", "")


def test_bibtex_takes_any_text(hostile_log):
    assert {"title", "command", "note"} <= set(entry_fields(bibtex_entry(hostile_log)))


def compiled(directory, *commands):
    """The text of all that was said while a document was made."""
    needs("texlive-latex-base texlive-latex-recommended", "pdflatex", "bibtex")
    said = ""
    for command in commands:
        ended = subprocess.run(
            command, cwd=directory, capture_output=True, text=True, errors="replace", check=False
        )
        said += ended.stdout
        assert ended.returncode == 0, ended.stdout[-3000:]
    return said


PDFLATEX = ("pdflatex", "-interaction=nonstopmode", "-halt-on-error")


@pytest.mark.parametrize("source", ["log", "hostile_log"])
def test_the_table_compiles_by_itself(request, tmp_path, source):
    (tmp_path / "table.tex").write_text(latex_table(request.getfixturevalue(source)))
    compiled(tmp_path, (*PDFLATEX, "table.tex"))
    assert (tmp_path / "table.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("source", ["log", "hostile_log"])
def test_the_table_and_the_entry_compile_in_a_paper(request, tmp_path, source):
    log = request.getfixturevalue(source)
    (tmp_path / "table.tex").write_text(latex_table(log))
    (tmp_path / "log.bib").write_text(bibtex_entry(log))
    key = f"spikeproof-{log.manifest_sha256[:12]}"
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{array,booktabs,longtable}"
        r"\begin{document}See Table~\ref{tab:spikeproof} and \cite{" + key + r"}.\input{table}"
        r"\bibliographystyle{plain}\bibliography{log}\end{document}"
    )
    paper = (*PDFLATEX, "paper.tex")
    said = compiled(tmp_path, paper, ("bibtex", "paper"), paper, paper)
    assert "Warning--" not in said
    assert "undefined" not in said.split("This is BibTeX")[1].split("This is pdfTeX")[2]


# --- counterexamples --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theorem", "fields"),
    [
        ("fp4_e2m1.multiply.rne.saturate", ["sign", "exponent", "fraction"]),
        ("fp8_e5m2.convert_from_int8.rne", ["bits"]),
    ],
)
def test_the_words_of_a_real_refutation_are_recognised(tmp_path, theorem, fields):
    unit = catalogue()[theorem]
    netlist = unit.circuit()
    refuted = discharge(unit, circuit=stuck_at_zero(netlist, netlist.outputs["result"][1]).netlist)
    made = record(theorem, "refuted", message=refuted.message, counterexample=refuted.counterexample)
    (read,) = read_log(write_log(tmp_path / "log", [made])).records
    shown = counterexample(read)
    x, *_, circuit, spec = shown.words
    assert (x.label, list(x.fields)) == ("input x", fields)
    assert (circuit.label, spec.label) == ("result, circuit", "result, spec")
    for word in (circuit, spec):
        differing = [bit.differs for _, bits in word.bits for bit in bits]
        assert differing.index(True) == len(differing) - 2
        assert sum(differing) == 1
    assert shown.text.startswith("the circuit differs from its spec:\nfirst signals")


# --- HTML, as text ----------------------------------------------------------------------------------


def test_the_page_loads_nothing_and_runs_nothing_but_its_script(hostile_log, html):
    page = html(hostile_log)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert not re.search(r'\b(src|href)="(?!#)', page)
    assert "url(http" not in page
    (script,) = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in page


def test_names_of_elements_are_unique(log, html):
    page = html(log)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 0
    assert set(re.findall(r'(?:url\(|href=")#([\w-]+)[")]', page)) <= set(ids)


def test_a_page_of_thousands_of_theorems_is_small(large_log, html):
    page = html(large_log)
    assert page.count("<tr") > 2500
    assert len(page.encode()) < 5_000_000


# --- HTML, in a browser -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    needs("chromium chromium-driver", "chromium", "chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with webdriver.Chrome(options, service) as driver:
        yield driver


@pytest.fixture
def page(browser, tmp_path, html):
    """Opens the page of a log at a part of it; afterwards, nothing must have gone wrong in it."""

    def opened(log, part="", width=1280, theme="light"):
        path = tmp_path / "index.html"
        path.write_text(html(log), encoding="utf-8")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
        browser.get("about:blank")
        browser.get(path.as_uri() + part)
        WebDriverWait(browser, 30).until(lambda b: b.find_element(By.TAG_NAME, "output").text)
        return browser

    yield opened
    assert browser.get_log("browser") == []


def rows(browser):
    """The theorems that are shown, in order."""
    shown = "[...document.querySelectorAll('#table tbody th button')].filter(b => b.checkVisibility())"
    return browser.execute_script(f"return {shown}.map(button => button.textContent)")


def button(browser, theorem):
    return browser.find_element(By.XPATH, f"//tbody//button[.='{theorem}']")


def test_filters(page, log):
    browser = page(log)
    assert len(rows(browser)) == 10
    # Every theorem that has a mode has the same, so there is no filter by it.
    names = [field.get_attribute("name") for field in browser.find_elements(By.TAG_NAME, "select")]
    assert names == ["outcome", "family", "format", "operation", "engine"]
    for name, value, expected in (
        ("format", "fp16", ["fp16.add.rne", "fp16.multiply.rne"]),
        ("operation", "add", ["fp16.add.rne"]),
        ("format", "", ["fp16.add.rne", "fp32.add.rne", "fp64.add.rne"]),
        ("engine", "z3 5.4.0", ["fp16.add.rne", "fp64.add.rne"]),
        ("outcome", "TIMEOUT", ["fp64.add.rne"]),
    ):
        Select(browser.find_element(By.NAME, name)).select_by_value(value)
        assert rows(browser) == expected
    assert browser.find_element(By.TAG_NAME, "output").text == "1 of 10"
    browser.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    WebDriverWait(browser, 5).until(lambda b: len(rows(b)) == 10)
    Select(browser.find_element(By.NAME, "family")).select_by_value("cell")
    assert rows(browser) == ["cell.ionic.xor"]


def test_search_and_the_address_of_what_it_found(page, log):
    browser = page(log)
    browser.find_element(By.NAME, "q").send_keys("MULTIPLY fp8")
    found = ["fp8_e4m3fn.multiply.rne", "fp8_e4m3fn.sticky_extra_multiply.rne"]
    assert rows(browser) == found
    part = browser.execute_script("return location.hash")
    assert rows(page(log, part)) == found


def test_the_summary_leads_to_what_is_not_as_promised(page, log):
    browser = page(log)
    assert (
        "4 theorems of 10 not as promised." in browser.find_element(By.CSS_SELECTOR, "[role=alert]").text
    )
    browser.find_element(By.CSS_SELECTOR, ".strip .bad a").click()
    WebDriverWait(browser, 5).until(lambda b: len(rows(b)) == 4)
    assert set(rows(browser)) == {each["theorem"] for each in RECORDS} - {
        each["theorem"] for each in PROVED
    }


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("seconds", "cell.ionic.xor", "fp64.add.rne"),
        ("neurons", "fp64.fma.rne", "fp8_e4m3fn.sticky_extra_multiply.rne"),
        ("lemmas", "fp8_e4m3fn.multiply.rne", "fp16.multiply.rne"),
    ],
)
def test_columns_sort_either_way(page, log, key, first, last):
    browser = page(log)
    header = browser.find_element(By.CSS_SELECTOR, f"[data-key={key}]")
    head = header.find_element(By.XPATH, "..")
    header.click()
    assert (rows(browser)[0], rows(browser)[-1]) == (first, last)
    assert head.get_attribute("aria-sort") == "ascending"
    header.click()
    assert head.get_attribute("aria-sort") == "descending"
    assert rows(browser)[-1] != last


def test_the_lemma_tree_opens_stays_with_its_theorem_and_closes(page, log):
    browser = page(log)
    theorem = button(browser, "fp16.multiply.rne")
    assert theorem.get_attribute("aria-expanded") == "false"
    theorem.click()
    assert theorem.get_attribute("aria-expanded") == "true"
    tree = browser.find_element(By.CSS_SELECTOR, ".tree")
    assert [name.text for name in tree.find_elements(By.CSS_SELECTOR, ".name")] == [
        "x_significand, y_significand",
        "product",
        "product",
        "adder_4 adds",
        "outputs",
        "outputs",
    ]
    last = tree.find_elements(By.TAG_NAME, "summary")[-1]
    assert "claim unsatisfiable 0.50 s" in last.text
    assert "z3 5.4.0: unsatisfiable, 0.25 s" not in tree.text
    last.click()
    assert "z3 5.4.0: unsatisfiable, 0.25 s" in tree.text
    assert "certificate: drat, 26,000,000 bytes" in tree.text
    browser.find_element(By.CSS_SELECTOR, "[data-key=seconds]").click()
    assert theorem.find_element(By.XPATH, "ancestor::tr/following-sibling::tr[1]//*[@class='tree']")
    theorem.click()
    assert not browser.find_elements(By.CSS_SELECTOR, ".tree")


def test_a_link_opens_a_theorem(page, log):
    browser = page(log, "#theorem=fp16.multiply.rne")
    theorem = button(browser, "fp16.multiply.rne")
    assert theorem.get_attribute("aria-expanded") == "true"
    details = browser.find_element(By.CLASS_NAME, "details").text
    assert "netlist SHA-256" in details
    assert "cadical 3.0.0 (lrat; after 1000 conflicts swept)" in details
    top = "return arguments[0].getBoundingClientRect()"
    head = browser.execute_script(top, browser.find_element(By.CSS_SELECTOR, "#table thead th"))
    assert browser.execute_script(top, theorem)["top"] >= head["bottom"]


def named(name):
    return record("fp16.divide.rne")["lemmas"][0] | {"name": name}


def test_lemmas_are_shown_by_the_steps_that_they_are_about(page, tmp_path):
    names = {
        "fp16.divide.rne": ["fp16.divide.rne"],
        "fp16.square_root.rne": ["radicand", "fact about radicand", "root, remainder: rows", "outputs"],
        "fp16.fma.rne": ["sum, near", "sum, far", "cases of sum", "outputs"],
    }
    records = [record(theorem, lemmas=list(map(named, lemmas))) for theorem, lemmas in names.items()]
    browser = page(read_log(write_log(tmp_path / "log", records)))
    for theorem, lines in (
        ("fp16.divide.rne", ["as a whole"]),
        ("fp16.square_root.rne", ["radicand", "radicand", "fact", "root, remainder", "rows", "outputs"]),
        ("fp16.fma.rne", ["sum", "near", "far", "cases", "outputs"]),
    ):
        button(browser, theorem).click()
        shown = browser.find_elements(By.CSS_SELECTOR, ".tree .name")
        assert [name.text for name in shown] == lines
        button(browser, theorem).click()


def test_a_counterexample_shows_its_bits(page, log):
    browser = page(log)
    article = browser.find_element(By.CSS_SELECTOR, "#not-as-promised article")
    words = article.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert [[field.text for field in word.find_elements(By.CLASS_NAME, "field")] for word in words] == [
        ["1", "0000", "100"],
        ["0", "0100", "101"],
        ["1", "0000", "000"],
        ["1", "0000", "001"],
    ]
    assert [len(word.find_elements(By.TAG_NAME, "b")) for word in words] == [0, 0, 1, 1]
    colours = {
        field.value_of_css_property("background-color")
        for field in words[0].find_elements(By.CLASS_NAME, "field")
    }
    assert len(colours) == 3
    assert "sticky: circuit 0 = 0, spec 1 = 1" in article.text
    promised = browser.find_element(By.CSS_SELECTOR, "#counterexamples tbody").text
    assert promised.splitlines()[0].split() == [
        "input",
        "x",
        "1",
        "0000",
        "100",
        "0x84",
        "subnormal,",
        "-0.0078125",
    ]


def test_plots_take_the_colours_of_the_page(page, log):
    ink = "return getComputedStyle(document.querySelector('#plots figure svg text')).fill"
    light = page(log).execute_script(ink)
    dark = page(log, theme="dark")
    assert light != dark.execute_script(ink)
    titles = [figure.accessible_name for figure in dark.find_elements(By.TAG_NAME, "figure")]
    assert titles == [
        f"{operation}: {what} against significand width"
        for what in ("seconds to a proof", "neurons")
        for operation in ("add", "multiply")
    ]


def test_margins_are_plotted_where_the_log_proves_them(tmp_path, log):
    """Of each gate whose limits it has, and of no other."""
    assert not margin_plots(log.records)
    kinds = ("noise", "threshold", *(f"leak_without_reset.{reset.value}" for reset in Reset))
    found = margin_plots(
        [
            Kept(f"margin.{library}.{gate}.{kind}", kind != "noise" or gate == "and")
            for library, gate in (("ionic", "and"), ("ionic", "xor"), ("nexus", "mux"))
            for kind in kinds
        ]
    )
    assert [plot.title for plot in found] == [
        "S1, noise: accuracy under Gaussian noise",
        "S2, thresholds: deviations that change no answer",
        "S1, leak: leak that changes no answer",
        "S2, leak: leak that changes no answer",
    ]
    noise, _, leak, other = (plot.svg for plot in found)
    assert "and, published" in noise
    assert "xor" not in noise  # not green
    assert ">xor<" in leak
    assert ">mux<" in other
    assert ">and<" not in other


def test_the_page_shows_margins(tmp_path, log, html):
    proved = [record(f"margin.ionic.and.{kind}") for kind in ("noise", "threshold")]
    shown = html_page(read_log(write_log(tmp_path / "margins", proved)))
    assert shown.count("<figure") == shown.count('aria-label="S1, noise: accuracy under') == 1
    assert 'href="#margins"' in shown
    assert "#margins" not in html(log)


def test_text_of_a_log_is_only_text(page, hostile_log):
    browser = page(hostile_log)
    assert HOSTILE in browser.find_element(By.ID, "table").get_property("textContent")
    button(browser, "fp64.fma.rne").click()
    assert "<script>alert(1)</script>" in browser.find_element(By.CLASS_NAME, "details").text


@pytest.mark.parametrize("width", [360, 760, 1600])
def test_the_page_is_as_wide_as_the_screen(page, log, width):
    browser = page(log, "#theorem=fp16.multiply.rne", width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    cell = browser.find_element(By.CSS_SELECTOR, ".details td").rect
    table = browser.find_element(By.ID, "table").rect
    assert cell["width"] == pytest.approx(table["width"], abs=2)


def test_thousands_of_theorems_are_shown_as_asked_for(page, large_log):
    browser = page(large_log)
    assert len(rows(browser)) == PAGE
    more = browser.find_element(By.ID, "more")
    assert more.text == "Show all 2,500"
    more.click()
    assert len(rows(browser)) == 2500
    assert not more.is_displayed()


def test_theorems_about_a_format_that_name_another_family_are_of_that_family(tmp_path):
    said = {"family": "spec", "format": "fp16", "operation": "add"}
    records = [record("spec.fp16.add.rne", parameters=said), record("fp16.add.rne")]
    found = groups(read_log(write_log(tmp_path / "log", records)).records)
    assert [(group.subject, group.operation) for group in found] == [("spec", ""), ("fp16", "add")]
