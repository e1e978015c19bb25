# The few words that people, CI and the README share. `make help` lists them.
# The first of these that fits makes .venv; `make install PYTHON=python3.13` tries that one first.
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
PORT ?= 8000
BENCHES ?= etl train accuracy minutes
VENV := .venv
BIN := $(VENV)/bin
# A uv of another version than pyproject.toml requires refuses to work in this folder; then .venv gets its own.
UV_FITS = uv cache dir >/dev/null 2>&1
UV = $$($(UV_FITS) && echo uv || echo $(BIN)/uv)
UV_VERSION = $$(sed -n 's/^required-version = "\([^"]*\)".*/\1/p' pyproject.toml)
RUN := $(BIN)/python
# Compiled bytecode lets the scripts start three times as fast.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo test quick check bench serve soak lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

install: $(VENV)/.tools ## create .venv with everything: scripts, tests, linters

demo: $(VENV)/.scripts ## the whole loop on the bundled recording, in about half a minute (LIVE=1: on the live API)
	$(RUN) rehearse.py $(if $(LIVE),--live)

serve: $(VENV)/.scripts ## the API and its page on http://127.0.0.1:8000 (PORT=...; DEMO=1: what make demo left behind)
	$(RUN) app.py --port $(PORT) $(if $(DEMO),--demo)

test: $(VENV)/.tools ## all tests, with line and branch coverage
	$(RUN) -m pytest --cov --cov-report=term $(ARGS)

quick: $(VENV)/.tools ## the tests that need no container, no browser and no workflow engine, without coverage
	$(RUN) -m pytest --ignore=tests/workflows --ignore=tests/deploy --ignore=tests/dashboard/test_browser.py --ignore=tests/dashboard/test_exploring.py $(ARGS)

check: $(VENV)/.tools ## linters, types, workflow files and Dockerfiles
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zizmor --offline --no-progress --quiet --persona pedantic .github
	$(BIN)/jactionlint --shellcheck= .github/workflows/*.yml .github/actions/*/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(BIN)/check-jsonschema --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/hadolint Dockerfile deploy/base/Dockerfile .ci/postgres/Dockerfile
	@! grep -nE 'https?://' requirements.txt requirements/*.txt || { echo "a lock file names a registry"; exit 1; }

bench: $(VENV)/.tools ## performance claims, measured here and now (BENCHES="etl m4 ..."; some want more, and say what)
	@for name in $(BENCHES); do echo "== bench.$$name"; $(RUN) -m bench.$$name || exit 1; done

soak: $(VENV)/.scripts ## 200 rehearsals with everything failing
	@for seed in $$(seq 200); do $(RUN) rehearse.py --whole --days 8 --scenario squeezed --seed $$seed \
	  --candidates seasonal_naive --output .soak --json > .soak.json 2>/dev/null || { echo "seed $$seed:"; cat .soak.json; exit 1; }; done

lock: $(VENV)/.tools ## compile requirements.in and requirements/*.in anew
	@compile() { $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --quiet "$$@"; }; \
	compile requirements.in -o requirements.txt && \
	for set in etl api api-lightgbm guests guests-torch bench lint dev; do compile -c requirements.txt requirements/$$set.in -o requirements/$$set.txt || exit 1; done

clean: ## remove .venv, the demo and caches
	rm -rf $(VENV) .venv-bench-api demo report artifacts .soak .soak.json rehearsal .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

define NO_PYTHON
Python 3.11, 3.12, 3.13 or 3.14 is needed, and none of these is one: $(PYTHON)
  Ubuntu, Debian    sudo apt install python3 python3-venv (Ubuntu 24.04, Debian 12 or newer)
  Fedora            sudo dnf install python3.12
  macOS             brew install python@3.12
  anywhere, with uv uv python install 3.12
Or say where one is: make install PYTHON=/usr/local/bin/python3.12
endef
export NO_PYTHON

$(BIN)/python:
	@for python in $(PYTHON) "$$(uv python find --no-python-downloads '>=3.11,<3.15' 2>/dev/null)"; do \
	  if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then break; fi; \
	  python=; \
	done; \
	if [ -z "$$python" ]; then echo "$$NO_PYTHON"; exit 1; fi; \
	echo "creating $(VENV) with $$python"; \
	if $(UV_FITS); then uv venv --quiet --python "$$(command -v "$$python")" $(VENV); \
	else "$$python" -m venv $(VENV) && $(BIN)/pip install --quiet "uv$(UV_VERSION)"; fi

$(VENV)/.scripts: requirements.txt | $(BIN)/python
	@echo "installing requirements.txt into $(VENV)"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@$(RUN) -c 'import app, check_retrain, rehearse, sklearn.ensemble, skforecast.recursive, lightgbm' # compiles their bytecode
	@touch $@

$(VENV)/.tools: requirements/dev.txt $(VENV)/.scripts
	@echo "installing requirements/dev.txt into $(VENV)"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@
