# Everything runs in .venv, which is made from the lock files: exact versions, checked hashes.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PARAMS ?= params/demo.yml
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.PHONY: help setup report demo lab test test-fast test-faults lint types format bench bench-validity bench-companies bench-loop bench-values bench-ingest sample schema lock clean

help: ## List every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) from requirements.lock (once, about a minute) …"
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.lock
	@echo "Adding the tools for tests, lint and JupyterLab (once) …"
	$(PIP) -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.ready ## Make .venv from requirements.lock

data/demo/.written: $(VENV)/.ready $(wildcard src/analysis/demo/*.py src/analysis/demo/*/*.py)
	$(BIN)/analysis demo data/demo
	@touch $@

demo: data/demo/.written ## Write the made-up company's exports to data/demo

report: data/demo/.written ## Run a period and make its report (PARAMS=params/demo.yml)
	$(BIN)/analysis run $(PARAMS)

lab: $(VENV)/.ready-dev ## Open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=. notebooks

test: $(VENV)/.ready-dev data/demo/.written ## Run the whole suite: tests, notebooks, reports
	$(BIN)/python -m pytest -n auto --dist loadfile --durations=12 --durations-min=30 --nbval-lax --nbval-current-env --nbval-cell-timeout=300 notebooks tests

test-fast: $(VENV)/.ready-dev data/demo/.written ## Run what takes seconds
	$(BIN)/python -m pytest -m "not slow and not faults" tests

test-faults: $(VENV)/.ready-dev data/demo/.written ## Kill runs 200 times and 15 real ones, every fault (long)
	$(BIN)/python -m pytest -s -v -m "faults or slow" tests/faults

lint: $(VENV)/.ready-dev ## Check style, floors and repeated names
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(VENV)/.ready-dev ## Check types
	$(BIN)/mypy

format: $(VENV)/.ready-dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.ready-dev data/demo/.written ## Measure, beside the same cells in one plain process
	$(BIN)/python bench/quarter.py

bench-validity: $(VENV)/.ready-dev ## Published numbers and known truths: ours beside them
	$(BIN)/python -m bench.validity

bench-values: $(VENV)/.ready-dev ## A million numbers and days read exactly, beside pandas
	$(BIN)/python bench/values.py

bench-companies: $(VENV)/.ready-dev ## Companies listed twice: precision, recall and seconds
	$(BIN)/python -m bench.companies

bench-loop: $(VENV)/.ready-dev ## Companies under three rules, quarter after quarter (SEEDS=20)
	$(BIN)/python -m bench.loop

bench-ingest: $(VENV)/.ready-dev ## Many order lines, beside plain pandas and polars (INGEST="--lines 1000000 …")
	$(BIN)/python bench/ingest.py $(INGEST)

sample: data/demo/.written ## Make the small sample that notebooks read in a fresh checkout
	$(BIN)/python -m analysis.pipeline.sample

schema: $(VENV)/.ready ## Write params/schema.json for editors
	$(BIN)/analysis params schema > params/schema.json

lock: ## Resolve the lock files again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --extra build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --extra build --extra dev --extra lab -c requirements.lock \
	  pyproject.toml -o requirements-dev.lock

clean: ## Remove what was generated: reports, data/demo, caches; not .venv
	rm -rf data/demo .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find reports -mindepth 1 -maxdepth 1 ! -name templates -exec rm -rf {} +
