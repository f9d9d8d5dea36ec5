# Everything a developer runs. `make help` lists the targets; each makes what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
BIN := .venv/bin
UV := .cache/uv/bin/uv
# How many test processes run side by side; each has a control plane of its own, and waits for it half of the time.
WORKERS ?= 3
# For example PYTEST="-k samples -x".
PYTEST ?=
# For example BENCH="operator 10 100", BENCH="admission 500" or BENCH=fairness.
BENCH ?=
# For example GATES="checkov gitleaks".
GATES ?=

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: install
install: .venv/.installed ## Make .venv with the locked dependencies and .venv/bin/ringfence

.PHONY: demo
demo: install ## Show two tenants from kubectl apply to a verified log on a local control plane (KEEP=1 keeps it)
	$(BIN)/ringfence demo

.PHONY: test
test: tools ## Run all tests, those on a real API server included
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST)

.PHONY: walk
walk: tools ## Lead a cluster through a long random life and compare it with a model (STEPS=1000 SEED=7)
	RINGFENCE_WALK_STEPS=$(or $(STEPS),1000) RINGFENCE_WALK_SEED=$(SEED) $(BIN)/pytest -q tests/walk

.PHONY: lint
lint: install ## Check style, types and the layers between packages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: generate
generate: install ## Write CRDs, roles, the chart's copies, reference docs and golden files from the code
	$(BIN)/ringfence generate
	UPDATE_GOLDEN=1 $(BIN)/pytest -q tests/golden

.PHONY: scan
scan: tools .cache/scanners/.installed ## Scan rendered manifests, the history and the dependencies; each exception has a reason
	$(BIN)/python -m tests.gates $(GATES)

.PHONY: audit
audit: .venv/.installed ## Write down which locked releases the package index was asked about today; after a change of the lock
	$(BIN)/python -m tests.gates --audit dependencies

.PHONY: bench
bench: tools ## Measure the operator beside a Go controller, the cost of policies, fairness, incidents and gateways
	$(BIN)/python -m tests.bench $(BENCH)

.PHONY: tools
tools: install ## Download or build etcd, kube-apiserver, kube-controller-manager, kubectl and helm, once
	$(BIN)/ringfence dev tools etcd kube-apiserver kube-controller-manager kubectl helm >/dev/null

.PHONY: format
format: install ## Rewrite the code in the project's style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: clean
clean: ## Remove .venv and what tools cached in this folder; built programs stay in ~/.cache/ringfence
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

.venv/.installed: $(UV) uv.lock pyproject.toml
	$(UV) sync --locked --compile-bytecode --python $(PYTHON)
	@$(BIN)/python -m compileall -q operator  # the operator starts in half the time, wherever Python writes no bytecode
	@touch $@

# In an environment of their own: checkov pins a hundred packages, some of them ours in other versions.
.cache/scanners/.installed: $(UV) tests/gates/requirements.txt $(wildcard tests/gates/gotools/*/go.*)
	$(UV) venv --quiet --clear --python $(PYTHON) .cache/scanners
	$(UV) pip install --quiet --python .cache/scanners/bin/python --require-hashes -r tests/gates/requirements.txt
	for module in tests/gates/gotools/*/; do \
	  CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off go -C $$module build -ldflags "-s -w" -o $(CURDIR)/.cache/scanners/bin/ tool; \
	done
	@touch $@

$(UV): .ci/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Ringfence needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv --clear .cache/uv \
	  || { echo "python3 can't make virtual environments: on Debian, apt-get install python3-venv" >&2; exit 1; }
	.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r .ci/uv.txt
	@touch $@
