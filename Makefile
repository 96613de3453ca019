PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup run test check lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: ## the environment in .venv, and Kafka's jars
	@sh deploy/setup.sh

run: setup ## everything on this machine, with a demo province and its live feed; Ctrl-C stops all of it
	@.venv/bin/fengsui up

test: setup ## everything that proves it, on a real Kafka, a real PostgreSQL and a real Chromium
	@chromium=$$(sh deploy/browser.sh) && root=$$(mktemp -d) && trap 'rm -rf "$$root"' EXIT && \
		FENGSUI_CHROMIUM="$$chromium" PYTEST_DEBUG_TEMPROOT="$$root" $(PYTHON) -m pytest # a root of its own: another run would shut the shared one

check: setup ## lint, format, types, walls and the pure tests, in seconds
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports
	@$(PYTHON) -m pytest -m "not kafka and not postgres"

lock: setup ## requirements.lock and the lock of Kafka's jars, made anew for a person to review
	@$(PYTHON) -m pip install --quiet uv
	@echo 'setuptools>=77' | UV_CUSTOM_COMPILE_COMMAND='make lock' .venv/bin/uv pip compile --quiet --upgrade --universal \
		--generate-hashes --no-annotate --extra dev pyproject.toml - -o requirements.lock
	@$(PYTHON) -m deploy.local.jars

clean: ## removes .venv and what the tools have cached; no data
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
