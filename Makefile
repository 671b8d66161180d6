# make run [SEMANTIC=1] · make test · make lint · make soak · make bench · make install (run without running)

V   := .venv
KIT := tests/test_every_channel.py
PIP := PYTHONWARNINGS=ignore $(V)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# What a start would otherwise do itself, and whoever serves may not be allowed to keep; next to nothing if it is done
READY = $(V)/bin/python -m compileall -q bot channels handoff intents knowledge && $(V)/bin/python -m bot.knowledge_base

run: $(V)/.installed $(if $(SEMANTIC),$(V)/.semantic)
	@exec $(V)/bin/aftercare serve

install: $(V)/.installed $(if $(SEMANTIC),$(V)/.semantic)
	@$(READY)

test: lint chromium
	@$(V)/bin/pytest -q -rR --ignore $(KIT)
	@echo "And every channel through the same cases, several at once: they wait for clocks most of the time"
	@$(V)/bin/pytest -q -rR -n 4 --dist worksteal $(KIT)

lint: $(V)/.test
	@$(V)/bin/ruff check --quiet .
	@$(V)/bin/ruff format --check --quiet .
	@$(V)/bin/mypy --no-error-summary
	@$(V)/bin/lint-imports --no-logo >$(V)/lint-imports.txt || { cat $(V)/lint-imports.txt; exit 1; }

soak: $(V)/.test chromium
	@$(V)/bin/pytest -q -m soak

bench: $(V)/.test
	@$(V)/bin/python benchmarks/throughput.py

# ---------------------------------------------------------------- what these stand on; done again only when it changed

$(V)/bin/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  echo "Setting up $(V) with $$("$$python" --version)"; exec "$$python" -m venv $(V); \
	done; \
	echo "Aftercare needs Python 3.11 or newer with its venv module (on Debian and Ubuntu: apt-get install python3-venv)." >&2; \
	exit 1

$(V)/.installed: pyproject.toml constraints.txt | $(V)/bin/python
	@echo "Installing Aftercare into $(V)"
	@$(PIP) --upgrade pip
	@$(PIP) --editable .
	@$(READY)
	@touch $@

$(V)/.semantic: $(V)/.installed
	@echo "Installing the semantic extra (torch is large)"
	@$(PIP) torch
	@$(PIP) --editable '.[semantic]'
	@touch $@

$(V)/.test: $(V)/.semantic
	@echo "Installing what the tests need"
	@$(PIP) --group test
	@touch $@

chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium"; apt-get update -qq && apt-get install -qq -y chromium >/dev/null && exit 0; \
	fi; \
	echo "The tests of the web chat need Chromium, and it is not installed (on Debian: apt-get install chromium)." >&2; \
	exit 1

.PHONY: run install test lint soak bench chromium
