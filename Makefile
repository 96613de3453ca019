PYTHON := .venv/bin/python
# Two test processes, each before servers of its own.
APART := -n 2 --dist loadfile --no-loadscope-reorder
.DEFAULT_GOAL := help
.PHONY: help setup run test check chaos bench bench-plot lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## the environment in .venv, and Kafka's jars
	@sh deploy/setup.sh

run: setup ## everything on this machine, with a demo province and its live feed; Ctrl-C stops all of it
	@.venv/bin/fengsui up

test: setup ## everything that proves it, on a real Kafka, a real PostgreSQL and a real Chromium
	@chromium=$$(sh deploy/browser.sh) && prometheus=$$(sh deploy/prometheus.sh) && root=$$(mktemp -d) && trap 'rm -rf "$$root"' EXIT && \
		FENGSUI_CHROMIUM="$$chromium" FENGSUI_PROMETHEUS="$$prometheus" PYTEST_DEBUG_TEMPROOT="$$root" $(PYTHON) -m pytest $(APART) # a root of its own: another run would shut the shared one

check: setup ## lint, format, types, walls and the pure tests, in seconds
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports
	@$(PYTHON) -m pytest $(APART) -m "not kafka and not postgres and not prometheus"

chaos: setup ## hurts a stack under load, then audits it to the last event; MINUTES=30 SEED=7 repeats a run
	@$(PYTHON) -m bench.chaos --minutes $(or $(MINUTES),3) $(if $(SEED),--seed $(SEED)) $(if $(EVENTS),--events $(EVENTS)) \
		$(if $(KILLS),--kills $(KILLS)) $(if $(RATE),--rate $(RATE)) $(if $(FAULTS),--faults $(FAULTS)) $(if $(DISK),--disk $(DISK))

bench: setup ## how fast it is, beside its limits and its peers, in a quarter of an hour; ONLY=a,e for parts
	@$(PYTHON) -m bench $(if $(ONLY),--only $(ONLY))

bench-plot: setup ## draws the last kept run of make bench for the README
	@$(PYTHON) -m bench.speed.plots

lock: setup ## requirements.lock and the locks of Kafka's jars and of the bench's peer, made anew for a person to review
	@$(PYTHON) -m pip install --quiet uv
	@echo 'setuptools>=77' | UV_CUSTOM_COMPILE_COMMAND='make lock' .venv/bin/uv pip compile --quiet --upgrade --universal \
		--generate-hashes --no-annotate --extra dev pyproject.toml - -o requirements.lock
	@printf 'alerta-server\npsycopg2-binary\ngunicorn\nsetuptools\n' | UV_CUSTOM_COMPILE_COMMAND='make lock' .venv/bin/uv pip compile \
		--quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate - -o bench/alerta.lock
	@$(PYTHON) -m deploy.local.jars

clean: ## removes .venv and what the tools have cached; no data
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
