# The commands of the README. `make demo` and `make test` work on a bare machine with Python 3.11 or newer.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export UV_PYTHON_DOWNLOADS := never

.PHONY: install demo test test-full lint install-bench bench lock clean

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	touch $(STAMP)

demo: install
	@exec $(BIN)/python manage.py demo

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --check --lint --quiet templates
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/mypy .

# The browser's event loop and Django's database guard do not share a process: pages run in their own.
test: lint
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile --ignore tests/pages --ignore tests/journey
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile tests/pages tests/journey

test-full: install
	$(BIN)/pytest -m slow --ignore tests/pages --ignore tests/journey
	$(BIN)/pytest -m slow tests/pages tests/journey

install-bench: install
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-bench.lock

bench: install-bench
	$(BIN)/python manage.py bench scan

lock:
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --quiet \
	  --extra server --extra dev pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --quiet \
	  --extra server --extra bench pyproject.toml -o requirements-bench.lock

clean:
	rm -rf $(VENV) .mhds .mypy_cache .ruff_cache .pytest_cache
