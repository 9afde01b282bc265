# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
PIP_INSTALL = $(VENV)/bin/python -m pip install --quiet --constraint constraints.txt

# The learners and the predictor run fastest with one thread per process.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test lint check check-bounds clean

demo: $(VENV)/.installed
	$(VENV)/bin/fitgym benchmark quick

test: $(VENV)/.installed
	$(VENV)/bin/python -m pytest -n 2

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

check: lint test

# Ten million random and adversarial steps, none of which may leave its observation space.
check-bounds: $(VENV)/.installed
	FITGYM_BOUND_STEPS=10000000 $(VENV)/bin/python -m pytest tests/envs/test_task.py -k adversarial

clean:
	rm -rf $(VENV) results .hypothesis .mypy_cache .pytest_cache .ruff_cache

# torch goes first and pinned, so that no other requirement picks a larger build of it.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) torch
	$(PIP_INSTALL) --editable '.[test]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP_INSTALL) --editable '.[dev]'
	touch $@
