# Environment and short names; every artifact is Snakemake's business.
#   make smoke           the whole graph on a mock policy, in results/smoke
#   make run             the whole experiment, ending in results/reports/all
# PYTHON=python3.12 takes another interpreter, VENV=... another place for the environment,
# CONFIG=config/mbpp.yaml another experiment, laid over config/config.yaml; SEEDS=3 three training seeds.

PYTHON ?= python3
VENV ?= .venv
CONFIG ?=
SEEDS ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq
# The commands that rules call are those of this environment.
export PATH := $(abspath $(BIN)):$(PATH)

SNAKEMAKE := $(BIN)/snakemake
OPTIONS = $(if $(CONFIG),--configfile $(CONFIG)) $(if $(SEEDS),--config 'practice={"seeds": $(SEEDS)}')
# Removes the locks that a killed run left, when no run is at work any more; then runs.
WHOLE = $(BIN)/python -m codeself.provenance.stale_locks && $(SNAKEMAKE)

.DEFAULT_GOAL := help
.PHONY: help run smoke test lint bench soak flips costs report unlock clean lock

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.train $(CONFIG) ## the experiment: everything up to results/reports/all
	@$(WHOLE) $(OPTIONS)

smoke: $(VENV)/.core ## the same graph on a mock policy, in results/smoke
	@$(WHOLE) --workflow-profile profiles/smoke

test: $(VENV)/.dev ## all tests
	$(BIN)/python -m pytest -n auto --maxprocesses 8

lint: $(VENV)/.dev ## style, types, and the form of the rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(SNAKEMAKE) --dry-run --quiet all
	@# Its one complaint that a pip environment cannot meet is a conda environment or container for each rule.
	@$(SNAKEMAKE) --lint 2>&1 | awk '/^    \* / && !/conda environment or container/ { print; bad = 1 } END { exit bad }'

bench: $(VENV)/.dev .venv-bench/.peers ## programs judged a second, and seconds a step of practice, ours beside others
	$(BIN)/python -m tests.benchmarks.judge_throughput
	@# Named as a target, a rule without input runs again.
	@test -e results/models/smollm2/model.json || $(SNAKEMAKE) --quiet all -- results/models/smollm2/model.json
	@$(SNAKEMAKE) --quiet all -- results/splits/families.json
	$(BIN)/python -m tests.benchmarks.training_speed

soak: $(VENV)/.dev ## 100,000 candidates on one worker: does anything grow?
	$(BIN)/python -m tests.benchmarks.soak

flips: $(VENV)/.dev ## 1,000 known verdicts beside a busy machine: does one change?
	$(BIN)/python -m tests.benchmarks.load_flips

costs: $(VENV)/.core ## run the smoke graph anew, and show what each stage cost
	@# With what is remembered of it: changed code may give other answers, which locked tests would not meet twice.
	rm -rf results/smoke
	$(SNAKEMAKE) --workflow-profile profiles/smoke --quiet all
	$(BIN)/python -m codeself.provenance.stage_costs results/smoke/benchmarks

report: run ## Snakemake's own report of the run, in results/snakemake-report.html
	$(SNAKEMAKE) $(OPTIONS) --report results/snakemake-report.html

unlock: $(VENV)/.core ## remove the locks that a killed run left
	$(BIN)/python -m codeself.provenance.stale_locks

clean: ## remove the results and the environment
	rm -rf $(VENV) .snakemake build codeself.egg-info
	find results -mindepth 1 ! -name README.md -delete

lock: $(VENV)/.core ## resolve all dependencies anew and write requirements.*.lock
	$(BIN)/python -m codeself.provenance.lock --pin torch==2.13.0

# The environment grows by need: core for the graph and the mock policy, train for real models, dev for tests.
# Pure wheels are checked by hash; compiled ones are held to their version, and bring what their platform needs.
EDITABLE = $(PIP) --no-build-isolation --constraint requirements.platform.lock --editable
HASHED = $(PIP) --no-deps --require-hashes --requirement

$(VENV)/.core: pyproject.toml requirements.core.lock requirements.platform.lock
	@echo "setting up $(VENV): the core packages"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(HASHED) requirements.core.lock
	@$(EDITABLE) .
	@touch $@

$(VENV)/.train: $(VENV)/.core requirements.train.lock
	@echo "setting up $(VENV): the packages that run models"
	@$(HASHED) requirements.train.lock
	@$(EDITABLE) '.[train]'
	@touch $@

$(VENV)/.dev: $(VENV)/.train requirements.dev.lock
	@echo "setting up $(VENV): the packages for tests and checks"
	@$(HASHED) requirements.dev.lock
	@$(EDITABLE) '.[train,crosscheck,dev]'
	@touch $@

# Other graders, to measure ours beside: in an environment of their own, as their sampling drags in half of the web.
.venv-bench/.peers: tests/benchmarks/peers.txt
	@echo "setting up .venv-bench: other graders"
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip --disable-pip-version-check install -qq --no-deps --requirement $<
	@touch $@
