# Every target runs from an empty clone; `make help` lists them.

PYTHON ?= $(shell for name in python3.11 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
# One per state of pyproject.toml, so that a changed dependency is installed and nothing is installed twice.
STAMP := .venv/.setup-$(shell cksum < pyproject.toml | tr ' \t' '--')
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format bench clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /    make \1\t/' | expand -t 20

setup: $(STAMP) ## .venv with everything, tests included

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Winnow needs Python 3.11, and none is on PATH. Install it (Debian 12: apt-get install python3 python3-venv), or name it: make setup PYTHON=/path/to/python3.11"; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment here (Debian: apt-get install python3-venv)."; exit 1; }
	@echo "Installing into .venv: minutes where packages are at hand, more when torch is fetched (see README for its CPU build) ..."
	@$(BIN)/python -m pip install -qq --editable '.[workers,dev]'
	@rm -f .venv/.setup-*
	@touch $@

demo: setup ## the running site with a sample project; Ctrl-C ends it
	@exec $(BIN)/python manage.py up --demo

test: setup ## the whole suite: real PostgreSQL, Redis, workers and browser
	@exec $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: setup ## ruff, strict mypy, import-linter
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy platform annotation curation workers tests
	$(BIN)/lint-imports --no-cache

format: setup ## rewrite the code as ruff likes it
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

bench: setup ## benchmarks, printed as ratios in one run
	@exec $(BIN)/python -m benchmarks $(ARGS)

clean: ## remove what setup and the tools made; data in var/ stays
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache test-artifacts
