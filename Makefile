# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
VENV_LOWEST ?= .venv-lowest
PIP_INSTALL = -m pip install --quiet --constraint

# The learners and the predictor run fastest with one thread per process.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test test-lowest lint check check-bounds fuzz docs soak kill faults package clean

demo: $(VENV)/.installed
	$(VENV)/bin/fitgym benchmark quick

test: $(VENV)/.installed
	$(VENV)/bin/python -m pytest -n 2

# The base installation at the lowest versions promised, without any extra.
test-lowest: $(VENV_LOWEST)/.installed
	$(VENV_LOWEST)/bin/python -m pytest -n 2 tests/adherence tests/calibration tests/common \
		tests/envs tests/logs tests/model tests/people

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

check: lint test

# Ten million random and adversarial steps, none of which may leave its observation space.
check-bounds: $(VENV)/.installed
	FITGYM_BOUND_STEPS=10000000 $(VENV)/bin/python -m pytest tests/envs/test_task.py -k adversarial

# The property tests with 25 times as many inputs, drawn anew each time.
fuzz: $(VENV)/.installed
	FITGYM_FUZZ=25 $(VENV)/bin/python -m pytest -n 2 -m hypothesis

# What docs/reliability.md tells of: a hundred million steps, commands killed at random moments, and
# deliberate faults that the tests must catch.
soak: $(VENV)/.installed
	$(VENV)/bin/python -W ignore scripts/soak.py --steps 100000000

kill: $(VENV)/.installed
	$(VENV)/bin/python scripts/kill_commands.py --kills 5

faults: $(VENV)/.installed
	$(VENV)/bin/python scripts/plant_faults.py

# site/ gets the documentation; a broken link or anchor is an error, and nothing is fetched.
docs: $(VENV)/.installed-docs
	$(VENV)/bin/zensical build --clean --strict

# dist/ gets the source distribution and the wheel, which is built from it.
package: $(VENV)/.installed-dev
	rm -rf build dist
	$(VENV)/bin/python -m build

clean:
	rm -rf $(VENV) $(VENV_LOWEST) build dist results site *.egg-info .cache .hypothesis .mypy_cache \
		.pytest_cache .ruff_cache

# torch goes first and pinned, so that no other requirement picks a larger build of it.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python $(PIP_INSTALL) constraints.txt torch
	$(VENV)/bin/python $(PIP_INSTALL) constraints.txt --editable '.[test]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(VENV)/bin/python $(PIP_INSTALL) constraints.txt --editable '.[dev]'
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(VENV)/bin/python $(PIP_INSTALL) constraints.txt --editable '.[docs]'
	touch $@

$(VENV_LOWEST)/.installed: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv $(VENV_LOWEST)
	$(VENV_LOWEST)/bin/python $(PIP_INSTALL) constraints-lowest.txt --editable . \
		hypothesis pytest pytest-xdist
	touch $@
