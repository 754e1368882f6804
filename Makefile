# Two commands for a newcomer: `make serve` and `make test`.
# TORCH_INDEX: a package index for another build of torch, for example a CPU-only one. Empty: pip's default.
PYTHON ?= python3
TORCH_INDEX ?=
VENV ?= .venv
BIN := $(VENV)/bin
TORCH_FLAGS := $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX),)

.PHONY: serve test test-slow test-vllm test-readme test-outside coverage coverage-fast containers check format clean

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(TORCH_FLAGS) -c constraints.txt torch
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	$(BIN)/pip install --quiet -c constraints.txt --no-deps colipri timm dynamic-network-architectures
	touch $@

serve: $(VENV)/.installed
	$(BIN)/medmpt index build
	$(BIN)/medmpt serve $(ARGS)

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

test-slow: $(VENV)/.installed
	$(BIN)/python -m pytest -m slow $(ARGS)

# The same tests of tests/llm against a real vLLM, in its own environment (medmpt llm install, or MEDMPT_VLLM_PYTHON).
test-vllm: $(VENV)/.installed
	$(BIN)/python -m pytest -m vllm tests/llm $(ARGS)

# Builds the container files and tries what docs/hospital.md says of them; ARGS="--wheels FOLDER" for a CPU build of torch, "--pull" for real bases.
containers: $(VENV)/.installed
	$(BIN)/python scripts/containers.py $(ARGS)

test-readme: $(VENV)/.installed
	$(BIN)/python -m pytest -m readme $(ARGS)

# What the suite runs of the code; slower than `test`, reported and no gate.
coverage: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist loadgroup --cov=agent --cov=tools --cov=retrieval --cov=medmpt_backend --cov=ui --cov-report=term:skip-covered $(ARGS)

# The same of the quick tests alone, about a minute: what CI reports.
COV := --cov=agent --cov=tools --cov=retrieval --cov=medmpt_backend --cov=ui --cov-report=term:skip-covered
FAST := tests/tools/test_calculators.py tests/tools/test_labs.py tests/tools/test_units.py tests/tools/test_medications.py \
	tests/tools/test_registry.py tests/tools/test_report_document.py tests/tools/test_case_summary.py tests/agent/test_verify.py
coverage-fast: $(VENV)/.installed
	$(BIN)/python -m pytest -q $(FAST) $(COV) $(ARGS)

# The ratchet over the question files from outside; skipped by name where they are absent.
test-outside: $(VENV)/.installed
	$(BIN)/python -m pytest -m outside tests/agent/test_outside.py $(ARGS)

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_house.py
	$(BIN)/python scripts/check_messages.py
	$(BIN)/python scripts/house_map.py --check
	@if $(BIN)/python -c 'import importlib.util,sys; sys.exit(importlib.util.find_spec("torchvision") is None)'; then echo "torchvision is installed: it breaks transformers beside a CPU torch; remove it" >&2; exit 1; fi

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
