# `make help` lists the targets. PG chooses the Postgres major: 15 (default), 16, 17 or 18.
PG ?= 15
PROFILE ?= debug
SECONDS ?= 60
N ?= 100
MINUTES ?= 1
export PG

server := .tools/pg$(PG)/bin/pg_config
pytest := .tools/venv/bin/python -m pytest
# Each has servers of its own, and waits for them most of the time.
abreast := -n 2 --dist loadfile --no-loadscope-reorder

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build private-install test-install install sink demo demo-stop report reference test test-rust test-server regress test-page conformance fuzz e2e crash soak bench lint audit clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PG=15|16|17|18        the Postgres major (15)"
	@echo "  PROFILE=debug|release the build of demo and tests (debug)"
	@echo "  TESTS='tests/test_x.py -k word'   for make test-server: only these"
	@echo "  GOLDEN_LIQUID=path    for make conformance: the suite's golden_liquid.json"
	@echo "  SECONDS=60            for make fuzz: how much of a processor for each target"
	@echo "  ONLY='queues'         for make fuzz: of templates, attributes, queues, channels, connections"
	@echo "  N=100, MINUTES=1      for make crash, make soak: how much"
	@echo "  ONLY='diff publish'   for make bench: of diff, small, memory, publish, log, rejections, render, report"

setup: ## install what is missing: Debian packages, a private Postgres, Python packages
	@tools/setup

build: setup ## build the library for Postgres $PG
	@tools/build $(server) $(PROFILE)

private-install: setup
	@library=$$(tools/build $(server) $(PROFILE)) && tools/install $(server) "$$library"

# The tests of dump and restore go from 15 to the major under test.
test-install: private-install
ifneq ($(PG),15)
	@$(MAKE) --no-print-directory private-install PG=15
endif

install: ## build for and install into a Postgres of yours: make install PG_CONFIG=/path/to/pg_config
	@test -n "$(PG_CONFIG)" || { echo "say where: make install PG_CONFIG=/path/to/pg_config" >&2; exit 1; }
	@library=$$(tools/build "$(PG_CONFIG)" release) && tools/install "$(PG_CONFIG)" "$$library"

demo: private-install ## a server, an emulated SQS, a sample view, a sync and two runs, shown as they go
	@PYTHONPATH=tests .tools/venv/bin/python demo/demo.py

demo-stop: ## stop what make demo left running, and remove it
	@PYTHONPATH=tests .tools/venv/bin/python demo/stop.py

report: private-install ## the page of sqs_sync_report, made of the demo's data: report.html
	@PYTHONPATH=tests .tools/venv/bin/python demo/report.py

reference: private-install ## docs/reference.md, of the comments that everything has in the catalog
	@PYTHONPATH=tests:tools .tools/venv/bin/python -m reference

test: test-rust test-server test-page ## every test, on Postgres $PG

test-rust: setup ## the tests of the crates that know no Postgres, and the sink's
	@. tools/cargo-env $(server) && cargo test --quiet --package backlog --package message --package notifier --package publisher --package report --package sink

sink: setup
	@. tools/cargo-env $(server) && cargo build --quiet --package sink

test-server: test-install sink ## the tests against a server; TESTS chooses some
	@$(pytest) $(abreast) $(or $(TESTS),tests)

regress: test-install ## sessions in psql against what they must show, by pg_regress
	@$(pytest) tests/test_regress.py

test-page: test-install sink ## the page of sqs_sync_report, in a browser (needs Node.js 20)
	@tools/setup-page
	@$(pytest) tests/page

conformance: setup ## how much of the golden-liquid suite renders as it says; GOLDEN_LIQUID is where it is
	@. tools/cargo-env $(server) && cargo run --quiet --package message --features conformance --example conformance

fuzz: setup ## whatever can be written or held, SECONDS for each target
	@. tools/cargo-env $(server) && FUZZ_SECONDS=$(SECONDS) cargo run --quiet --package fuzz -- $(ONLY)

e2e: test-install ## the end-to-end part of the tests alone, as CI runs it on each major
	@$(pytest) $(abreast) -m e2e tests

crash: test-install ## ends N runs at random steps, in random ways: what a FIFO queue was told is the model
	@PYTHONPATH=tests .tools/venv/bin/python tests/endurance/crash.py $(N)

soak: test-install sink ## random writes, faults and kills for MINUTES: what queues were told is the model
	@PYTHONPATH=tests .tools/venv/bin/python tests/endurance/soak.py $(MINUTES)

bench: setup ## how fast it is, against baselines; ONLY chooses some of it
	@tools/setup-bench $(PG)
	@PYTHONPATH=tests .tools/venv/bin/python benches/bench.py $(ONLY)

lint: setup ## formatting, clippy, and the licences and sources of dependencies
	@tools/setup-lint
	@tools/lint $(server)

audit: ## known vulnerabilities in dependencies (needs the advisory database from the net)
	@tools/setup-lint
	@.tools/cargo-deny/bin/cargo-deny check advisories

clean: ## remove what was built and set up here, servers included
	@tools/clean
