# Everything on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.PHONY: run test lint bench clean

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,peers]'
	touch $@

run: .venv/installed  ## train the study on its stand-in data and write its report
	$(BIN)/ablate run studies/rgbnt201.toml
	$(BIN)/ablate report rgbnt201 -o reports/rgbnt201

test: .venv/installed lint  ## tests, lint, types, import contracts
	$(BIN)/python -m pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed  ## every ratio that the README quotes
	for script in flops cli store reid_eval overhead ingest analysis audit calibration item_bootstrap; do $(BIN)/python benchmarks/$$script.py || exit 1; done

clean:
	rm -rf .venv .ablate build dist *.egg-info
