# Two commands do everything on a fresh machine: `make run` and `make test`. `make bench` prints ratios; `make mutants`
# asks whether the tests would notice a slip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DRAW := QT_QPA_PLATFORM=offscreen
# The tests start many processes, which find their modules compiled.
unexport PYTHONDONTWRITEBYTECODE
# Half of the tests each, in their order, so that most files' fixtures are made once; who is done first takes over.
TWO_WORKERS := -n 2 --dist worksteal

.PHONY: run test bench networks fuzz mutants soak formats screenshots format clean

run: $(VENV)/installed
	@.ci/system-libraries $(BIN)/python window
	@if [ "$$(uname)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		echo "No screen here (neither DISPLAY nor WAYLAND_DISPLAY is set): drawing the first lesson into first-lesson.png instead."; \
		$(DRAW) $(BIN)/python main.py render --first-lesson --time-step 40 -o first-lesson.png && echo "Drawn: first-lesson.png"; \
	else \
		$(BIN)/python main.py; \
	fi

test: $(VENV)/tests-installed
	@.ci/system-libraries $(BIN)/python offscreen
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(DRAW) $(BIN)/python -m pytest $(TWO_WORKERS)

bench: $(VENV)/tests-installed
	@.ci/system-libraries $(BIN)/python offscreen
	$(DRAW) $(BIN)/python tests/benchmarks/ratios.py

# Every network with every head, and which of them learn parity: the tables of tests/benchmarks/RESULTS.md; minutes.
networks: $(VENV)/tests-installed
	@.ci/system-libraries $(BIN)/python offscreen
	$(DRAW) $(BIN)/python tests/benchmarks/write_networks.py

mutants: $(VENV)/tests-installed
	@.ci/system-libraries $(BIN)/python offscreen
	$(BIN)/python tests/mutants/try_mutants.py $(ONLY)

# Runs with flipped bits and cut short, and random expressions: nothing shown may differ without a word.
fuzz: $(VENV)/tests-installed
	$(BIN)/python tests/fuzz/flip_bits.py
	$(BIN)/python tests/core/fuzz_expressions.py 500000

# Minutes: exits and kills at random moments, then MINUTES of random keys; EXITS, KILLS, LOAD and SEED may be set, too.
soak: $(VENV)/tests-installed
	@.ci/system-libraries $(BIN)/python offscreen
	$(DRAW) $(BIN)/python tests/soak/soak.py

# The wheel and the sdist: built, installed each into a fresh environment, started; `make run` from the unpacked sdist.
formats: $(VENV)/tests-installed
	@.ci/system-libraries $(BIN)/python offscreen
	$(BIN)/python tests/packaging/try_formats.py

screenshots: $(VENV)/installed
	@.ci/system-libraries $(BIN)/python offscreen
	$(DRAW) $(BIN)/python tests/pictures/make_screenshots.py

format: $(VENV)/tests-installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache first-lesson.png

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "rnnviz needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; exit 2; }
	@.ci/system-libraries $(PYTHON) venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/tests-installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@ $(VENV)/installed
