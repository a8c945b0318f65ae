# `make prove` discharges every theorem; `make test` runs the tests of our own code; `make install` gives
# the command alone, `make site` the documentation as pages. All build what they need in .venv, with the
# versions pinned in requirements.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ACL2 := acl2 acl2-books acl2-books-source acl2-books-certs
INSTALLED := $(VENV)/.installed

.PHONY: prove verified test mechanised install lint site artefact benchmark clean

# Hypothesis draws nothing there; loading it would take a second in every process.
prove: $(INSTALLED)
	$(BIN)/pytest proofs/ --numprocesses auto --dist worksteal --quiet -p no:hypothesispytest

# The clausal proofs of that run, or of SAMPLE=60 of its theorems, drawn anew, put to a proved checker.
verified: $(INSTALLED)
	type acl2 > /dev/null 2>&1 || { apt-get update -qq && apt-get install -qq $(ACL2) > /dev/null; }
	$(BIN)/spikeproof verify proof-log --verified $(if $(SAMPLE),--sample $(SAMPLE))

test: $(INSTALLED)
	$(BIN)/pytest tests/ --numprocesses auto --dist worksteal --quiet

# The arguments of prover/kernel, by Coq (Debian: coq), and that each of their premises is needed.
mechanised: $(INSTALLED)
	SPIKEPROOF_CASES=100000 $(BIN)/pytest tests/proofs/test_mechanised.py --quiet

install: $(INSTALLED)

benchmark: $(INSTALLED)
	$(BIN)/python -m benchmarks.proof_times
	$(BIN)/python -m benchmarks.simulation_speed
	$(BIN)/python -m benchmarks.theorem_times

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

$(INSTALLED): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "spikeproof needs Python 3.10 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# With SPIKEPROOF_LOG set, the status pages show that log's times and certificates.
site: $(INSTALLED)
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c docs/site . build/site

# What reviewers of a paper are handed, of the source as committed and of the log of `make prove`.
artefact: site
	$(BIN)/python -m artefact.pack $${SPIKEPROOF_LOG:-proof-log} build/artefact --site build/site

clean:
	rm -rf $(VENV)
