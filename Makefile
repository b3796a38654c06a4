# Two commands do everything: `make demo` runs the main job, `make test` checks the whole house.
VENV := .venv
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTHON := $(shell for v in 3.14 3.13 3.12 3.11; do p=$$(command -v python$$v) && "$$p" -c 'import venv, ensurepip' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

.PHONY: demo test app bench validate schema clean install dev

install: $(VENV)/.installed
dev: $(VENV)/.installed-dev

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Unhurried needs Python 3.11, 3.12, 3.13 or 3.14 with venv: none was found (on Debian: apt-get install python3-venv)."; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing Unhurried (about a minute the first time)"
	@$(PIP) --no-compile numpy scipy numba
	@$(BIN)/python -c "from sim import kernel; kernel.warm_up(lambda _: None)" & \
	  $(PIP) --no-compile --editable . && $(BIN)/python -m compileall -qq -j 0 -x '/(tests|pip|setuptools|lexers)/' $(VENV)/lib; \
	  status=$$?; wait; exit $$status
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what the tests need"
	@$(PIP) --editable '.[dev]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/python -m scripts.demo

app: $(VENV)/.installed
	@$(BIN)/unhurried app

test: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell README.md CHANGELOG.md docs sim planner scenarios scripts tests app.py app_pages
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

bench: $(VENV)/.installed-dev
	@$(PIP) --editable '.[bench]'
	@$(BIN)/python -m benchmarks

validate: $(VENV)/.installed-dev
	@$(BIN)/python -m scripts.validate

schema: $(VENV)/.installed
	@$(BIN)/python -m scripts.write_schema

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
