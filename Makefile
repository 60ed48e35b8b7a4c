# Everything is done through .venv, which `make` builds on first use and again when the
# dependencies change. `make audit` installs no development tools.

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
MAIN := .venv/.installed
DEV := .venv/.installed-dev

.PHONY: help audit check test test-services claims docs fix

help:
	@echo "make audit          audit the builtin digits network"
	@echo "make check          format, lint, types, layers, fast tests, stale claims"
	@echo "make test           all tests that need no service"
	@echo "make test-services  the tests that need a real service"
	@echo "make claims         measure the claims whose code has changed, and record them"
	@echo "make docs           build the documentation into site/"
	@echo "make fix            format the code and mend what the linter can"

audit: $(MAIN)
	@$(BIN)/pellucid audit builtin:digits-cnn

check: $(DEV)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/pyright --warnings
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/pytest -q -n auto -m "not slow and not services"
	@$(BIN)/python -m pellucid.claims --check

test: $(DEV)
	@$(BIN)/pytest -q -n auto -m "not services"

test-services: $(DEV)
	@$(BIN)/pytest -q -m services --collect-only > /dev/null; \
	if [ $$? -eq 5 ]; then echo "No test needs a service yet, so there is nothing to run."; \
	else $(BIN)/pytest -q -m services; fi

claims: $(DEV)
	@$(BIN)/python -m pellucid.claims

docs: $(DEV)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The documentation is in site/index.html."

fix: $(DEV)
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

$(MAIN): pyproject.toml constraints.txt
	@for python in python3.13 python3.12 python3.11 python3; do \
	  if $$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; \
	  then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Pellucid needs Python 3.11 or later with its venv module: install it, then run make again." >&2; \
	  exit 2; \
	fi; \
	echo "[1/3] making .venv with $$($$found --version)"; \
	$$found -m venv .venv
	@echo "[2/3] installing torch, the largest part (minutes, once)"
	@$(PIP) torch
	@echo "[3/3] installing Pellucid"
	@$(PIP) -e '.[train]'
	@touch $@

$(DEV): $(MAIN)
	@echo "[dev] installing the development tools"
	@$(PIP) -e '.[train,evolution,explain,hub,postgres,sklearn,tables,dev]'
	@touch $@
