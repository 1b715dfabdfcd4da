# The two commands: make up, make test. All set-up is done by setup/run, which installs what is missing only.
SHELL := /bin/bash
# As bin/maillab: the variable of the environment counts, if the command line says nothing.
STACK ?= $(or $(MAILLAB_STACK),dc1es)
PYTEST_ARGS ?=
QUICK := tests/engine/test_lifecycle.py $(addprefix tests/e2e/test_,delivery.py firewall.py aliases.py hot_edits.py)
YES ?=
export PYTHONUNBUFFERED = 1
# As bin/maillab does it: a docker client without an engine, and mke2fs.
export PATH := $(PATH):/usr/sbin:/sbin:$(CURDIR)/.cache/bin
MAILLAB := bin/maillab --stack $(STACK)

.DEFAULT_GOAL := help
.PHONY: help up preview down test test-quick test-all test-e2e test-exercises test-vm check lint bench pulumi slides

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

test: ## the tests: unit, golden, engine, end to end
	@setup/run test
ifeq ($(PYTEST_ARGS),)
	@setup/tests
else
	@.venv/bin/python -m pytest $(PYTEST_ARGS)
endif

test-all: export MAILLAB_TESTS := all
test-all: test ## `make test`, and what takes too long for every day: see tests/support/long.py

test-quick: ## what shows most in little time: unit, golden, an engine's life, mail and firewall of one lab
	@setup/run test
	@.venv/bin/python -m pytest --numprocesses=2 tests/unit tests/golden
	@.venv/bin/python -m pytest $(QUICK)

test-e2e: ## the end to end tests; MAILLAB_WHERE=vm runs their labs in a virtual machine
	@setup/run test
	@.venv/bin/python -m pytest tests/e2e $(PYTEST_ARGS)

test-exercises: export MAILLAB_TESTS := all
test-exercises: ## every repair and every cheat of every exercise (`make test` has one repair of each)
	@setup/run test
	@.venv/bin/python -m pytest --numprocesses=2 --dist=loadgroup --no-loadscope-reorder tests/e2e/test_exercises_1.py tests/e2e/test_exercises_2.py tests/e2e/test_standalone_exercises.py

test-vm: export MAILLAB_WHERE := vm
test-vm: test-e2e ## the end to end tests, in a virtual machine

check: ## lint, types, imports, unit and golden tests; no Docker
	@setup/run tools
	@setup/check

lint: ## the checks that are no tests
	@setup/run tools
	@setup/check --no-tests

bench: ## measure: up, preview, edits, throughput, memory, two schools, virtual machines; PARTS="running up two vm" for some
	@setup/run test
	@.venv/bin/python -m bench $(PARTS)

slides: ## the lessons' slides as HTML pages, in the folder slides
	@setup/run venv
	@.venv/bin/python -m maillab.slides

pulumi: ## install the real Pulumi and its plugins into ~/.pulumi
	@setup/run pulumi
	@.venv/bin/python -m maillab.cli.install
