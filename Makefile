# Everything is installed into .venv; only python3 >= 3.11, git and make are needed.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PY = .venv/bin/python
PIP = $(PY) -m pip --disable-pip-version-check

.PHONY: demo test lint clean

demo: .venv/demo            # train on the handwritten digits; pictures in out/
	$(PY) examples/digits.py

test: .venv/test            # the whole test suite, with torch beside us
	$(PY) -m pytest

lint: .venv/test            # style and types (make test holds them too)
	$(PY) -m ruff check
	$(PY) -m mypy

clean:
	rm -rf .venv out dist build

# Where PyPI has no wheel of pygraphviz for this machine, graphs are drawn by dot, or else as HTML pages.
.venv/demo: .venv/made pyproject.toml
	$(PIP) install --quiet --editable ".[progress]" matplotlib
	$(PIP) install --quiet --only-binary pygraphviz "pygraphviz>=2.0" || echo "Going on without pygraphviz."
	@touch $@

.venv/test: .venv/made pyproject.toml
	$(PIP) install --quiet --editable ".[test]"
	@touch $@

.venv/made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found: install it, or run make PYTHON=/path/to/python"; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version); the first installation takes a minute."
	@if $(PYTHON) -m ensurepip --version >/dev/null 2>&1; then $(PYTHON) -m venv --clear .venv; else $(PYTHON) .ci/make_venv.py .venv; fi
	@touch $@
