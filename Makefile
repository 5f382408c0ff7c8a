# `make up` runs the product, `make test` checks it; both need Python >= 3.11 and nothing else.
.DEFAULT_GOAL := up
.PHONY: install up test test-full lint unit bench
JOBS ?= 2

install:
	@infra/install.sh

up: install
	@exec .venv/bin/getsale up

test: install
	@infra/test-servers.sh
	@$(MAKE) --no-print-directory lint unit

test-full: install
	@infra/test-servers.sh
	@$(MAKE) --no-print-directory lint
	.venv/bin/pytest -n $(JOBS) --dist loadgroup -m "full or not full"

lint: install
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	.venv/bin/lint-imports

unit: install
	.venv/bin/pytest -n $(JOBS) --dist loadgroup

bench: install
	.venv/bin/getsale bench flow
