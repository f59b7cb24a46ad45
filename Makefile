# make demo:  two simulated scanners, two networks, three strategies; a report in minutes
# make bench: simulate scanners, run the quick suite, write its report
# make test:  the fast tests;  make test-all: the slow ones too
# make paper: every table, figure and claim of experiments/paper; hours, and it goes on where it was;
#             SIZE=full for a GPU; DATA=my.store RESULTS=results/mine for scanners of your own
# make fuzz:  made-up bytes for the readers of DICOM headers, manifests and suites, two minutes each
# make docs:  the documents as a site, build/docs/index.html
# make notebooks: run the notebooks of examples/ anew, and keep what they show
# make contract: hold every strategy to the contract for masks, on every network of the study
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1
FUZZ_SECONDS ?= 120
TWO := -n 2 --dist loadfile

SIZE ?= cpu
STUDY := $(if $(filter full,$(SIZE)),paper/full,paper)
RESULTS ?= results/$(STUDY)
PAPER := table_muscle table_liver seed_curve forgetting norm_ablation augmentation_ablation

.PHONY: demo bench reference paper contract docs notebooks fuzz test test-all lint clean

demo: .venv/ready
	$(BIN)/cl-seg run experiments/demo.yaml

bench: .venv/ready
	$(BIN)/cl-seg run experiments/quick.yaml

reference: bench
	mkdir -p results/reference/quick
	cp results/quick/{summary.md,summary.csv,runs.csv} results/quick/figures/*.svg results/reference/quick

paper: .venv/ready
	$(if $(filter cpu full,$(SIZE)),,$(error SIZE is $(SIZE), expected cpu or full))
	$(if $(DATA),$(if $(filter file,$(origin RESULTS)),$(error give RESULTS with DATA: a folder of its own)))
	failed=; for suite in $(PAPER); do \
	  $(BIN)/cl-seg run experiments/$(STUDY)/$$suite.yaml --results $(RESULTS)/$$suite $(addprefix --data ,$(DATA)) && \
	  $(BIN)/cl-seg report $(RESULTS)/$$suite --published experiments/paper/published.csv || \
	  { status=$$?; [ $$status -ne 130 ] || exit 130; failed="$$failed $$suite"; }; done; \
	$(BIN)/cl-seg claims $(RESULTS) --report && [ -z "$$failed" ] || \
	  { echo "not whole:$$failed; the same command goes on from there" >&2; exit 1; }

contract: .venv/ready
	mkdir -p results/contract
	$(BIN)/cl-seg contract --out results/contract/contract.json

docs: .venv/ready
	$(BIN)/mkdocs build --quiet --strict --config-file docs/site/mkdocs.yml

notebooks: .venv/ready
	$(BIN)/python docs/site/notebooks.py

fuzz: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[fuzz]"
	set -e; for target in dicom_header manifest suite; do \
	  $(BIN)/python -m tests.fuzz.run $$target $(FUZZ_SECONDS); done

test: .venv/ready
	$(BIN)/python -m pytest $(TWO)

test-all: .venv/ready
	$(BIN)/python -m pytest $(TWO) -m "slow or not slow"

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf .fuzz .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# pip takes the CUDA build, several gigabytes; uv knows the index of the CPU build.
GPU := $(wildcard /dev/nvidia[0-9]* /dev/dxg)
define CPU_TORCH
	@echo "no NVIDIA GPU here: installing PyTorch's CPU build"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt uv && \
	  VIRTUAL_ENV=.venv UV_HTTP_RETRIES=0 $(BIN)/uv pip install --quiet --torch-backend cpu \
	  --constraint constraints.txt torch torchvision 2> /dev/null || \
	  echo "it could not be installed (is its index reached?): installing the build of PyTorch that pip finds"
endef

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cl_seg needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(if $(GPU),,$(CPU_TORCH))
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch .venv/ready
