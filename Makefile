# Everything a developer or a pipeline does. `make` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo dev test lint lock wheelhouse golden bench test-live coverage live-controls peers beds-down clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

$(VENV)/.demo: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV), once: about a minute"
	@$(BIN)/pip install -qq --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.demo
	@$(BIN)/pip install -qq --editable '.[demo,dev]'
	@touch $@

demo: $(VENV)/.demo  ## Audit the embedded sample cloud and show the report
	@$(BIN)/cloudaudit demo -o out/demo; code=$$?; \
	echo; echo "exit code $$code (the sample cloud holds violations, so 1 is what it must be)"; \
	test $$code -eq 1

dev: $(VENV)/.dev  ## Make the development environment

test: $(VENV)/.dev  ## Run the offline tests
	$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## Types, style, controls, generated files
	$(BIN)/mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cloudaudit controls lint

LOCK := $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --upgrade

lock:  ## Choose the newest versions for pipelines and wheelhouses; review the difference
	@test -x $(VENV)/lock/bin/uv || { $(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install -qq uv; }
	$(LOCK) pyproject.toml --output-file ci/requirements.lock
	$(LOCK) ci/build.in --output-file ci/build.lock

wheelhouse:  ## Collect what a machine without network installs from, into dist/wheelhouse
	PYTHON=$(PYTHON) sh ci/wheelhouse.sh dist/wheelhouse $(EXTRAS)

golden: $(VENV)/.dev  ## Regenerate golden files and schemas; review the difference
	$(BIN)/python tests/regenerate.py

bench: $(VENV)/.dev  ## Measure, with ratios to a baseline of the same run
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/judge.py
	$(BIN)/python benchmarks/report.py
	$(BIN)/python benchmarks/formats.py
	$(BIN)/python benchmarks/plan.py

test-live: $(VENV)/.dev  ## Audit a real OpenStack and real object stores, started on loopback
	$(BIN)/python -m pytest tests/live -n 0 -p no:cacheprovider

coverage: $(VENV)/.dev  ## Look at the beds with every identity and write docs/coverage.md
	$(BIN)/python tests/live/table.py > docs/coverage.new && mv docs/coverage.new docs/coverage.md

peers: $(VENV)/.dev  ## Set the verdicts of PROWLER=/path/to/prowler beside ours and write docs/peers-agreement.md
	$(BIN)/python tests/live/peers/compare.py > docs/peers-agreement.new && mv docs/peers-agreement.new docs/peers-agreement.md

live-controls: $(VENV)/.dev  ## Hold all technical controls against the beds and write docs/live-controls.md
	$(BIN)/python tests/live/verdicts.py > docs/live-controls.new && mv docs/live-controls.new docs/live-controls.md

beds-down:  ## Stop the test beds
	-tests/beds/openstack/bed.sh down
	-tests/beds/s3/bed.sh all down

clean:  ## Remove the environment and outputs
	rm -rf $(VENV) out cloudaudit-demo dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
