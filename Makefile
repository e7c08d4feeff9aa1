# Two commands do everything: `make demo` and `make test`. Each makes .venv first, from constraints.txt; the second
# time they work without a network. `make help` names the rest.

VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= $(shell for name in python3 python python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$name" && break; done)
NOX := $(PY) -m nox --noxfile noxfile.py
SESSIONS := lint types docs build property

.DEFAULT_GOAL := help
.PHONY: help venv demo test bench soak reference screenshots assets lock upgrade office browser client clean $(SESSIONS) tests

help:
	@echo 'make demo      show the whole job on the demo shop: check, bind, template, upload, report, corrected upload, history, orders'
	@echo 'make test      everything that has to hold: $(SESSIONS) tests'
	@echo 'make bench     measure the evaluator against other engines, uploads, requests to the service, and the intake of orders'
	@echo 'make soak      kill the service, workers and the database over and over, and play random histories, at full size (long)'
	@echo 'make lint      … or any other one of: $(SESSIONS) tests'
	@echo 'make reference write the pages of docs/ that are made from the code'
	@echo 'make screenshots  write the pictures of the pages in docs/images (Chromium)'
	@echo 'make assets    write the files in api/static/ that others made, as package.json pins them (npm)'
	@echo 'make lock      write constraints.txt anew (make upgrade: with the newest versions)'
	@echo 'make clean     remove .venv and everything else that can be made again'

venv:
	@test -n '$(PYTHON)' || { echo 'Shelfgate needs Python 3.11 or later; name it: make PYTHON=/path/to/python3 …' >&2; exit 1; }
	@$(PYTHON) tools/environment.py

demo: venv
	$(PY) tools/demo.py

# The tests come last, so that their summary closes the output; they run even where something before them failed.
test: venv office browser client
	@failed=0; \
	$(NOX) --session $(SESSIONS) || failed=1; \
	$(NOX) --session tests || failed=1; \
	exit $$failed

$(SESSIONS) tests bench soak: venv
	@$(NOX) --session $@

office browser client:
	@tools/ensure-program $@

reference: venv
	$(PY) tools/generated.py

screenshots: venv browser
	$(PY) -m pytest -q tests/acceptance/test_pages.py --screenshots

# For maintainers: users get the files as they are committed, and need no Node.
assets: venv
	npm ci --silent
	$(PY) tools/assets.py

lock: venv
	$(PY) tools/lock.py

upgrade: venv
	$(PY) tools/lock.py --upgrade

clean:
	rm -rf $(VENV) build dist node_modules .coverage .hypothesis .mypy_cache .nox .pytest_cache .ruff_cache
