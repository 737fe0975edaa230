# Needs git, make and Python 3.11 or later; everything else is set up here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LABEL_STUDIO := .venv-label-studio
LABEL_STUDIO_READY := $(LABEL_STUDIO)/.ready

export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
# Each stage is a process of its own: without bytecode each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all lint types unit unit-all label-studio label-studio-installed docs clean

help:
	@echo "make demo   sample data through the whole pipeline with dvc repro (about two minutes the first time)"
	@echo "make test   lint, types and tests, but for the few that take longest"
	@echo "make test-all  lint, types and all tests, as continuous integration runs them"
	@echo "make label-studio  a Label Studio with an example project in front of the annotator"
	@echo "make docs   write the generated pages of docs/ again"
	@echo "make clean  remove what make has made"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . --group test
	touch $@

# With a ready database for the servers of the tests: to migrate an empty one takes half a minute.
$(LABEL_STUDIO_READY): constraints-label-studio.txt | $(READY)
	$(PYTHON) -m venv $(LABEL_STUDIO)
	$(LABEL_STUDIO)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints-label-studio.txt label-studio
	$(BIN)/python -m tests.labeling.server_folders $(LABEL_STUDIO)/bin/label-studio
	touch $@

demo: $(READY)
	@test -d .git || { echo "make demo: this is not a Git clone, which DVC needs; run 'git init' first." >&2; exit 2; }
	tundish sample
	dvc repro --quiet
	tundish verify --quiet datasets/steel-surface/exports/coco --key 'coil=^(?P<coil>[A-Z][0-9]+)_'
	@echo
	tundish status

test: lint types unit

test-all: lint types unit-all

lint: $(READY)
	ruff check
	ruff format --check

types: $(READY)
	mypy

# With Label Studio, so that no test of it is skipped: a minute the first time.
unit: $(READY) $(LABEL_STUDIO_READY)
	pytest --numprocesses 2 --dist worksteal -m "not slow"

unit-all: $(READY) $(LABEL_STUDIO_READY)
	pytest --numprocesses 2 --dist worksteal

label-studio-installed: $(LABEL_STUDIO_READY)

label-studio: $(READY) $(LABEL_STUDIO_READY)
	@test -f datasets/steel-surface/curated/images.parquet || { \
		tundish sample && tundish run steel-surface --to dedup; }
	tundish label start --push steel-surface

docs: $(READY)
	python -m tools.generate

clean:
	rm -rf $(VENV) $(LABEL_STUDIO) .cache build dist
