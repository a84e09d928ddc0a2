# Everything a checkout can do. `make` lists it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
OUTPUT ?= out
READY  := $(VENV)/.ready
TOOLS  := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/phytoflow/bin
# Programs of scripts/install-tools
export PATH := $(PATH):$(TOOLS)
# Tests start hundreds of processes: each would compile all modules again
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: $(shell sed -nE 's/^([a-z0-9-]+):.*## .*/\1/p' Makefile)

help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with everything in it, from the lock file

$(READY): requirements/all.lock requirements/uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "phytoflow needs Python 3.11 or newer; say which with PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/all.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

run: setup ## Take photos (DATA=folder, or drawn leaves) to an answering predictor
	$(BIN)/phytoflow run --output $(OUTPUT) $(if $(DATA),--data $(DATA))

check: lint types workflows ## Lint, types and workflows

TESTS = $(BIN)/python -m pytest tests --ignore tests/e2e --ignore tests/slow -n auto --dist loadfile --durations=20
test: setup ## All tests that need no cluster, on all CPUs (PYTEST_ARGS=)
	$(TESTS) $(PYTEST_ARGS)

coverage: setup ## The same tests, which must cover 85% with branches; takes half as long again (PYTEST_ARGS=)
	$(TESTS) --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

test-slow: setup ## The long tests: whole runs, killed and resumed (PYTEST_ARGS=)
	$(BIN)/python -m pytest tests/slow $(PYTEST_ARGS)

bench: setup ## A benchmark (BENCH=serving, training, ood, quality, ...; BENCH_ARGS=)
	$(BIN)/python -m benchmarks.$(or $(BENCH),serving) $(BENCH_ARGS)

docs: setup ## The documentation site in build/site: pages from the code, links checked
	$(BIN)/python -m scripts.generate_docs
	$(BIN)/zensical build --strict

e2e: setup ## The whole circle on this machine, and tests on the cluster that KUBECONFIG names (PYTEST_ARGS=)
	$(BIN)/python -m pytest tests/slow/test_circle.py tests/slow/stack/test_renewal.py tests/e2e $(PYTEST_ARGS)

images: ## Build what the end-to-end tests run, with buildah, podman or docker (BASE_IMAGE=, TAG=)
	images/build predictor gateway watch mlflow postgresql redis

image-predictor: ## Build the predictor alone
	images/build predictor

image-gateway: ## Build the gateway alone
	images/build gateway

image-watch: ## Build the image of `phytoflow watch`
	images/build watch

image-monitor: ## Build the image of `phytoflow monitor` with Evidently
	images/build monitor

image-predictor-gpu: ## Build the predictor on CUDA (TORCH_INDEX=)
	images/build predictor-gpu

image-pipeline: ## Build the image of the pipeline's steps, 7 GB with CUDA (TORCH_INDEX=)
	images/build pipeline

lint: setup ## Check style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: setup ## Mend style
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: setup ## Check types
	$(BIN)/mypy

workflows: ## Check the workflows (needs actionlint: scripts/install-tools)
	@if command -v actionlint >/dev/null; then actionlint; else echo "the workflows are not checked: there is no actionlint"; fi

wheel: setup ## Build the wheel into dist/
	$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist

compile: setup ## Write the pipeline as YAML for Kubeflow Pipelines (IMAGE=NAME:TAG, WORKERS=4: with a search)
	$(BIN)/phytoflow pipeline compile $(if $(IMAGE),--image $(IMAGE)) $(if $(WORKERS),--workers $(WORKERS))

UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
lock: ## Resolve the lock files (UPGRADE=1: to the newest versions)
	test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; }
	echo uv | $(UV_COMPILE) - -o requirements/uv.lock
	$(UV_COMPILE) pyproject.toml requirements/build.in --all-extras -o requirements/all.lock
	$(UV_COMPILE) pyproject.toml --extra serve -c requirements/all.lock -o requirements/serve.lock
	$(UV_COMPILE) pyproject.toml --extra gateway -c requirements/all.lock -o requirements/gateway.lock
	$(UV_COMPILE) pyproject.toml --extra watch -c requirements/all.lock -o requirements/watch.lock
	$(UV_COMPILE) pyproject.toml --extra evidently -c requirements/all.lock -o requirements/evidently.lock
	$(UV_COMPILE) pyproject.toml --extra train --extra serve --extra pipelines -c requirements/all.lock -o requirements/pipeline.lock
	$(UV_COMPILE) pyproject.toml --extra serve requirements/gpu.in -c requirements/all.lock -o requirements/serve-gpu.lock
	$(UV_COMPILE) requirements/mlflow.in -c requirements/all.lock -o requirements/mlflow.lock

clean: ## Remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build *.egg-info
