# Everything a person or CI does here. `make demo` and `make test` set up what they need by themselves: Python 3.11-3.13 and make suffice.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then echo $$p; break; fi; done)
VENV ?= .venv
BIN = $(VENV)/bin
DATA = .contactmeter .contactmeter-demo
LOCKS = deploy/requirements
# Processes that run tests side by side, each with engines of its own; 0 runs them in this one.
TESTS_AT_ONCE ?= 2

.DEFAULT_GOAL := help
.PHONY: help install demo test chaos check generate bench lock down clean clean-data

help:  ## say what can be done
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(VENV)/.local  ## the program in .venv/bin, nothing started
	@echo "Call it as $(BIN)/contactmeter, or after 'source $(BIN)/activate' as contactmeter; --help lists its commands."

demo: $(VENV)/.local  ## a simulated municipality through real Kafka, Faust and ClickHouse, figures in the terminal, until Ctrl-C
	@$(BIN)/contactmeter demo

test: $(VENV)/.dev  ## all tests, those on the real engines included (PYTEST_ARGS for more)
	@$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

chaos: $(VENV)/.dev  ## the long form of the chaos suite: engines and workers broken in every way for about an hour, and calm weeks of alerts (PYTEST_ARGS for more)
	@$(BIN)/python -m pytest tests/chaos tests/dashboards/scenarios -m chaos --timeout 3600 $(PYTEST_ARGS)

check: $(VENV)/.dev  ## lint, types, layers, generated files, lock files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m schemas.generate --check
	$(BIN)/python -m dashboards.generate --check
	$(BIN)/python -m deploy.locks --check

generate: $(VENV)/.dev  ## write the generated files again
	$(BIN)/python -m schemas.generate
	$(BIN)/python -m dashboards.generate

bench: $(VENV)/.dev  ## the benchmarks, on real engines (BENCH_ARGS for more)
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

lock:  ## resolve the dependencies again (needs uv)
	@for set in base local dev; do \
	  case $$set in base) extras="";; local) extras="--extra local";; dev) extras="--extra local --extra dev";; esac; \
	  uv pip compile pyproject.toml --extra build $$extras --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-emit-package pandas --no-emit-package pyarrow \
	    --output-file $(LOCKS)/$$set.txt --quiet || exit 1; \
	done

# Before the program goes, what it runs must end.
down:
	@for place in $${CONTACTMETER_DIR:+"$$CONTACTMETER_DIR"} $(DATA); do \
	  if test -x $(BIN)/contactmeter && test -e "$$place/run/stack.json"; then \
	    CONTACTMETER_DIR="$$place" $(BIN)/contactmeter down || { \
	      echo "What runs on $$place could not be ended: nothing is removed. End it yourself, or remove $(VENV) by hand." >&2; exit 1; }; \
	  fi; \
	done

clean: down  ## end the local stack; remove the virtual environment and every cache, keep the data
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data: down  ## end the local stack and remove its data, and so the demo's
	rm -rf $(DATA)

# A marker file per set of extras: made again when its lock or pyproject.toml changes.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "contactmeter needs Python 3.11, 3.12 or 3.13; none was found. Install one, or name it: make PYTHON=/path/to/python3.12 demo" >&2; exit 1; }
	@echo "making a virtual environment with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.%: $(VENV)/bin/python $(LOCKS)/%.txt pyproject.toml
	@echo "installing the locked packages of $(LOCKS)/$*.txt (some hundred megabytes, minutes at the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(LOCKS)/$*.txt || { \
	  echo "The packages could not be installed. Behind a proxy set HTTPS_PROXY; with a mirror set PIP_INDEX_URL; then run make again." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
