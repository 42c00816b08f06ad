# Two commands: `make demo` shows everything at work, `make test` is what CI runs.
# Both begin with `make setup`: Python packages in .venv, bubblewrap from the system.
# `make check` is for every change: style, types, and the tests that are quick.
# `make site` builds the students' web site in site/_build/html.

# For its `time`, which counts what the tests' own processes took, too.
SHELL := /bin/bash
PYTHON ?= python3
# Where pip would take gigabytes of CUDA, choose PyTorch's CPU build:
#   make setup TORCH="torch==2.13.0 --extra-index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
BIN := .venv/bin
# Hundreds of processes import the same modules: they are compiled once.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test style tests tables check site setup cage clean

demo: setup
	$(BIN)/autograder demo

test: style
	time $(BIN)/python -m pytest -n 2 --dist worksteal --durations=40

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The two halves of `make test`, for machines that run them side by side.
tests: setup
	time $(BIN)/python -m pytest -n 2 --dist worksteal --durations=40 --ignore tests/test_verify.py

tables: setup
	time $(BIN)/python -m pytest -n 2 --dist worksteal --durations=40 tests/test_verify.py

check: style
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

setup: .venv/ready cage

.venv/ready: pyproject.toml .constraints.txt
	@# Begun anew if the last one was not finished: it may have been of another Python.
	$(PYTHON) -m venv $(if $(wildcard .venv/begun),--clear) .venv
	touch .venv/begun
	$(BIN)/python -m pip install --quiet --constraint .constraints.txt pip setuptools wheel
	$(BIN)/python -m pip install --quiet --constraint .constraints.txt $(TORCH)
	$(BIN)/python -m pip install --quiet --constraint .constraints.txt --no-build-isolation --editable '.[test]'
	mv .venv/begun $@

# The cage needs bubblewrap. Where it is missing it is installed if that is allowed; where it
# is not, one line says what is weaker, and grading asks for a weaker level by name.
cage:
	@command -v bwrap >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq bubblewrap; \
	  else \
	    echo "bubblewrap is missing: install it (Debian, Ubuntu: sudo apt-get install bubblewrap)."; \
	    echo "Without it, submissions are not fully caged; 'autograder doctor' says what is left."; \
	  fi; }

# Jupyter Book in an environment of its own: it asks for older versions than the course has.
site: setup .venv/site/ready
	rm -rf site/source
	$(BIN)/autograder bundle site --output site/source $(if $(UNTIL),--until $(UNTIL))
	.venv/site/bin/jupyter-book build --warningiserror --path-output site site/source

.venv/site/ready: .site-requirements.txt .venv/ready
	$(PYTHON) -m venv .venv/site
	.venv/site/bin/python -m pip install --quiet --requirement .site-requirements.txt
	touch $@

clean:
	rm -rf .venv demo site
