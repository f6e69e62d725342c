# make run: everything a newcomer needs.  make test, make check: everything a developer needs.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
PORT   ?= 8000
WORKERS ?= 2
export HF_HUB_OFFLINE ?= 1
# Without it every process compiles all of app anew, which takes longer than most commands.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo test test-long test-sqlite test-postgresql check format lint types imports templates browser install install-dev

help:
	@echo "make run        make the virtual environment, install, migrate, serve with a worker (PORT=$(PORT))"
	@echo "make test       set up what tests need, run them on SQLite and on PostgreSQL"
	@echo "make test-long  the long ones: repeated kills"
	@echo "make check      tests, format, lint, strict types, import contracts, templates"

# One stamp a kind of installation; pip is upgraded first, since --group needs 25.1.
$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.installed: $(VENV)/.pip pyproject.toml
	@echo "Installing Handpicked into $(VENV): a minute or so, once."
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

# Everything at once: pip resolves, unpacks and compiles a single time where nothing is installed yet.
$(VENV)/.installed-dev: $(VENV)/.pip pyproject.toml constraints.txt
	@echo "Installing Handpicked and what tests and checks need into $(VENV): a minute or so, once."
	$(BIN)/pip install --quiet --constraint constraints.txt --editable . --group dev
	@touch $(VENV)/.installed $@

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

run: install
	$(BIN)/handpicked serve --port $(PORT)

demo: install
	$(BIN)/handpicked demo

browser: install-dev
	$(BIN)/python tests/browser/find_browser.py

test: test-sqlite test-postgresql

test-sqlite: browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

# What touches no database has run on SQLite and is left out here (tests/conftest.py).
test-postgresql: browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --database postgresql

test-long: browser
	$(BIN)/python -m pytest -m long
	$(BIN)/python -m pytest -m long --database postgresql

check: test format lint types imports templates
	$(BIN)/pip check

format: install-dev
	$(BIN)/ruff format --check .

lint: install-dev
	$(BIN)/ruff check .

types: install-dev
	$(BIN)/mypy

imports: install-dev
	$(BIN)/lint-imports

templates: install-dev
	$(BIN)/djlint templates --lint --quiet
