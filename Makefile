# The two commands: make up, make test. All set-up is done by setup/run, which installs what is missing only.
SHELL := /bin/bash
STACK ?= dc1es
PYTEST_ARGS ?=
# They need nothing and disturb nobody, so they run side by side.
FAST_TESTS := tests/unit tests/golden
YES ?=
export PYTHONUNBUFFERED = 1
# As bin/maillab does it: a docker client without an engine, and mke2fs.
export PATH := $(PATH):/usr/sbin:/sbin:$(CURDIR)/.cache/bin
MAILLAB := bin/maillab --stack $(STACK)

.DEFAULT_GOAL := help
.PHONY: help up preview down test test-e2e test-vm check bench pulumi

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18
	@echo "  STACK=<name> chooses the stack (default dc1es); bin/maillab --help knows more"

up: ## install what is missing and bring the lab up
	@setup/run stack $(STACK)
	@$(MAILLAB) up

preview: ## show what `make up` would change, with the changed lines
	@setup/run stack $(STACK)
	@$(MAILLAB) preview --diff

down: ## remove the lab; YES=1 does not ask about the mail volumes
	@setup/run stack $(STACK)
	@$(MAILLAB) down $(if $(YES),--yes)

test: ## every test: unit, golden, engine, end to end
	@setup/run test
ifeq ($(PYTEST_ARGS),)
	@status=0; \
	 .venv/bin/python -m pytest --numprocesses=2 $(FAST_TESTS) || status=$$?; \
	 .venv/bin/python -m pytest $(FAST_TESTS:%=--ignore=%) || status=$$?; \
	 exit $$status
else
	@.venv/bin/python -m pytest $(PYTEST_ARGS)
endif

test-e2e: ## the end to end tests; MAILLAB_WHERE=vm runs their labs in a virtual machine
	@setup/run test
	@.venv/bin/python -m pytest tests/e2e $(PYTEST_ARGS)

test-vm: export MAILLAB_WHERE := vm
test-vm: test-e2e ## the end to end tests, in a virtual machine

check: ## lint, types, imports, unit and golden tests; no Docker
	@setup/run venv
	@setup/check

bench: ## measure: up, preview, edits, throughput, memory, virtual machines; PARTS="running up vm" for some
	@setup/run test
	@.venv/bin/python -m bench $(PARTS)

pulumi: ## install the real Pulumi and its plugins into ~/.pulumi
	@setup/run pulumi
	@.venv/bin/python -m cli.install
