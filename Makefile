# Groundswell: two commands for a newcomer, `make demo` and `make test`; `make help` lists the rest.
# Needs Python 3.11 or newer and make. Everything else comes from the package registry into .venv.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8501
BIN := $(VENV)/bin
# Trust what the system trusts: behind a company's own certificate authority uv knows only its own roots.
export UV_SYSTEM_CERTS ?= 1
UV := $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help demo test test-stores test-rest check fast browser lock clean

help: ## list these targets
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z%-]+):.*## /  make \1\t/'

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5'
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/installed ## set up, crawl a replica web on loopback, run every stage, open the board (ONCE=1: and stop)
	$(BIN)/groundswell demo --port $(PORT) $(if $(ONCE),--once)

test: $(VENV)/installed-dev browser check ## set up, check style, types and layers, run every test
	+$(MAKE) --no-print-directory --jobs 4 test-stores test-nlp test-crawlers test-rest

test-stores: $(VENV)/installed-dev ## the stores and what is built on Elasticsearch, on real servers
	$(BIN)/pytest -q --durations 12 tests/index tests/elastic

test-rest: $(VENV)/installed-dev ## what people touch, settings, the house itself
	$(BIN)/pytest -q --durations 12 tests/ui tests/configs tests/house

test-%: $(VENV)/installed-dev ## one room: make test-nlp, test-crawlers, test-index, test-ui, test-configs, test-house
	$(BIN)/pytest -q --durations 12 tests/$*

fast: $(VENV)/installed-dev ## the tests that take seconds
	$(BIN)/pytest -q -m 'not slow and not browser and not elastic'

check: $(VENV)/installed-dev ## style, types, layers
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

browser: $(VENV)/installed-dev ## a headless Chromium for the board's tests, if there is none
	@command -v chromium chromium-browser google-chrome >/dev/null || $(BIN)/playwright install chromium || \
		(apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk fonts-thai-tlwg) || \
		(echo 'No Chromium: install one (Debian: apt-get install chromium fonts-noto-cjk fonts-thai-tlwg).' >&2; exit 1)

lock: ## resolve pyproject.toml anew into hashed lock files
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header -c requirements.lock --extra dev --extra train pyproject.toml -o requirements-dev.lock

clean: ## forget the virtual environment and what the demo left
	rm -rf $(VENV) .groundswell
