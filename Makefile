# Sets up what is missing, then leaves the work to the command `modthread` and to pytest.
#
#   make run [SCRIPT=x.py] [BOARD=B] [PORT=/dev/ttyACM0] [FORWARD=8080:80]
#   make firmware BOARD=B [VARIANT=V]              all boards: modthread boards --all
#   make check                                     make test-long, make test-all: see docs/device-tests.md
#   make test [BOARD=B] [PORT=/dev/ttyACM0]
#   make flash BOARD=B [PORT=/dev/ttyACM0]
#   make bench [BOARD=B] [BASELINE=an-earlier-bench.json]
#   make soak [HOURS=8] [BOARD=B] [PORT=/dev/ttyACM0] [SEED=1]

PYTHON ?= python3
SCRIPT ?= examples/two_threads.py

# Through the interpreter, not through .venv/bin/modthread: works in a checkout that was moved.
export PYTHONPATH := $(CURDIR)/tools
VENV_PYTHON = $(CURDIR)/.venv/bin/python
MODTHREAD = $(VENV_PYTHON) -m modthread
ALL = $(if $(PORT)$(BOARD),$(WHERE),--emulated)
KIND = $(if $(BOARD),--board $(BOARD)$(if $(VARIANT),-$(VARIANT)))
WHERE = $(KIND) $(if $(PORT),--port $(PORT))

.PHONY: help run boards repl monitor firmware flash check-board check test test-long test-all proof soak bench release docs setup clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/installed ## Build, boot and run SCRIPT (default: the example) on BOARD
	@$(MODTHREAD) run $(WHERE) $(if $(FORWARD),--forward $(FORWARD)) '$(SCRIPT)'

boards: .venv/installed ## List the boards that are attached, and the emulated ones
	@$(MODTHREAD) boards

repl: .venv/installed ## Build, boot and open the prompt of BOARD
	@$(MODTHREAD) repl $(WHERE)

monitor: .venv/installed ## Show what a real BOARD prints, with the time
	@$(MODTHREAD) monitor $(WHERE)

firmware: .venv/installed ## Build build/BOARD/firmware.elf and show what threads cost
	@$(MODTHREAD) firmware $(KIND)

flash: .venv/installed ## Build the firmware and put it on a real BOARD
	@$(MODTHREAD) flash $(WHERE)

check-board: .venv/installed ## Check a real BOARD: flash, test, measure; print a verdict to send in
	@$(MODTHREAD) check-board $(WHERE)

check: .venv/installed ## Check style, types, spelling and the host's code: needs no board and no firmware
	@$(VENV_PYTHON) -m pytest -n auto --dist=worksteal --quiet --no-build --lane=check tests/host

test: .venv/installed ## Run the tests: on the boards, MicroPython's own, and the host's
	@$(MODTHREAD) test $(ALL)

test-long: .venv/installed ## Run the tests that are long for their own sake
	@$(MODTHREAD) test $(ALL) --lane=long

test-all: .venv/installed ## Run all tests: takes hours
	@$(MODTHREAD) test $(ALL) --lane=all

proof: .venv/installed ## Explore the interleavings of threads to full bounds: takes an hour
	@$(VENV_PYTHON) tests/interleavings/explorer.py $(if $(SECONDS_EACH),--seconds $(SECONDS_EACH)) $(if $(SANITIZE),--sanitize)

soak: .venv/installed ## Run random work on BOARD for HOURS, or go on with it, and count what fails
	@$(MODTHREAD) soak $(WHERE) $(if $(HOURS),--hours $(HOURS)) $(if $(SEED),--seed $(SEED))

bench: .venv/installed ## Measure what threads cost a program without them
	@$(MODTHREAD) bench $(if $(BOARD),--board $(BOARD)) $(if $(BASELINE),--baseline '$(BASELINE)')

release: .venv/installed ## Build the images of a release in build/release: all, or BOARD's
	@$(MODTHREAD) release $(KIND) build/release

docs: .venv/installed ## Write docs/api.md anew, from the stub, and the site in build/site
	@mkdir -p build && $(VENV_PYTHON) tools/documents/api.py > build/api.md && mv build/api.md docs/api.md
	@$(VENV_PYTHON) -m properdocs build --strict
	@echo "Open build/site/index.html"

setup: ## Install missing system packages and the pinned Python packages
	@rm -f .venv/installed
	@$(MAKE) --no-print-directory .venv/installed

clean: ## Remove everything that make made
	rm -rf build .venv tools/modthread.egg-info

.venv/installed: pyproject.toml tools/modthread/_emulators/strict/core.pyx
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "modthread: Python 3.11 or newer is needed; name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m modthread._base.system
	@$(VENV_PYTHON) -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv .venv
	@echo "Installing the pinned Python packages in .venv ..."
	@PYTHONPATH= $(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -e '.[dev]' || \
	    { echo "modthread: pip failed, see above; check the network and try again" >&2; exit 1; }
	@echo "Compiling rp2040py for this Python ..."
	@$(MAKE) --silent --jobs=$$(getconf _NPROCESSORS_ONLN) --file=tools/modthread/_emulators/rp2040py.mk PYTHON=$(VENV_PYTHON) || \
	    echo "modthread: rp2040py stays as it came, see above; the emulator will be three times slower and not strict" >&2
	@touch $@
