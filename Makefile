# Everything a developer types. Each target installs what it needs.
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTHON ?= python3
SECONDS ?= 3600
CASES  ?= 100000
export PATH := $(CURDIR)/$(BIN):$(PATH)
# What fails beside others on a busy machine is tried once more, alone, and named again.
ONCE_MORE := { echo "Failed above; once more, alone:"; python -m pytest -q --lf --lfnf=none; }

.PHONY: install demo check test test-vm qemu faults-short faults soak demos bench screenshots lock migration reference clean help

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(STAMP) ## install Perron and what its checks need into .venv

$(STAMP): pyproject.toml requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing (once) …"
	@$(BIN)/python -m pip install -q --require-hashes -r tools/uv.lock.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src
	@touch $@

demo: $(STAMP) ## start a platform with the examples on it, and say what to open
	@bash demos/make-demo.sh

check: $(STAMP) ## format, lint, types, floors and rooms, lock, licences; no tests
	ruff format --check .
	ruff check .
	lint-imports
	mypy
	python tools/check_lock.py
	python tools/check_supplies.py

test: $(STAMP) ## the whole everyday suite
	@python -m tools.have_chromium
	python -m pytest -q -n 2 --dist loadfile -m "not slow and not fault" || $(ONCE_MORE)
	DEMO=short bash demos/all.sh

test-vm: $(STAMP) qemu ## Debian 12's own kernel with systemd, emulated: all that runs there
	python -m pytest -q -x tests/vm

qemu:
	@command -v qemu-system-x86_64 > /dev/null || \
	  { test "$$(id -u)" = 0 && command -v apt-get > /dev/null && \
	    apt-get install -qq -y --no-install-recommends qemu-system-x86 > /dev/null; } || \
	  echo "No qemu, and no right to install it: Debian's own kernel is not assessed."

faults-short: $(STAMP) qemu ## the short half of the kill matrix, and of Debian's own kernel
	python -m pytest -q -m "fault and not slow" || $(ONCE_MORE)

faults: $(STAMP) qemu ## the whole kill matrix, all strangers, floods
	python -m pytest -q -m "fault or slow"

soak: $(STAMP) ## an hour of everything (SECONDS=), then 100,000 odd requests (CASES=)
	@SOAK=$(SECONDS) python -m tools.soak
	CASES=$(CASES) python -m pytest -q -m slow tests/contract

demos: $(STAMP) ## all demos in full
	bash demos/all.sh

bench: $(STAMP) ## the table of figures
	python -m bench

screenshots: $(STAMP) ## pictures of every page in build/screenshots
	@python -m tools.have_chromium
	@python -m tools.screenshots

lock: ## pin every dependency with hashes
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate \
	  --python-version 3.11 --group check pyproject.toml -o requirements.lock

migration: $(STAMP)
	python tools/migration.py

reference: $(STAMP) ## write docs/reference from the code
	python -m tools.openapi
	python -m tools.events
	python -m tools.perron_toml

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
