# Two commands do all the set-up: `make demo` and `make test`. Both need Python 3.11+ with venv, and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
BENCH_ARGS ?=
CHAOS_ARGS ?=
WEBHOOK_KILLS_ARGS ?=
ATTACK_ARGS ?=

.PHONY: demo test bench chaos webhook-kills attack audit clean

demo: $(VENV)/installed
	"$(BIN)/python" -m dialer demo $(DEMO_ARGS)

test: $(VENV)/tox
	"$(BIN)/python" -m tox run

bench: $(VENV)/bench-extra
	"$(BIN)/python" -m bench $(BENCH_ARGS)

chaos: $(VENV)/test-extra
	"$(BIN)/python" -m tests.chaos $(CHAOS_ARGS)

webhook-kills: $(VENV)/test-extra
	"$(BIN)/python" -m tests.webhook_kills $(WEBHOOK_KILLS_ARGS)

attack: $(VENV)/attack-extra
	"$(BIN)/python" -m tests.attack $(ATTACK_ARGS)

audit: $(VENV)/audit
	"$(BIN)/python" -m pip_audit --local --progress-spinner off

$(BIN)/python:
	"$(PYTHON)" -m venv "$(VENV)"
	"$(BIN)/python" -m pip install --quiet --upgrade pip

$(VENV)/installed: $(BIN)/python setup.cfg pyproject.toml $(shell find dialer api freeswitch_conf -name '*.py' -o -name '*.sql' -o -name '*.xml*' -o -name '*.txt' -o -path '*api/page*' -type f ! -name '*.pyc')
	"$(BIN)/python" -m pip install --quiet .
	touch "$@"

$(VENV)/bench-extra: $(VENV)/installed
	"$(BIN)/python" -m pip install --quiet ".[bench]"
	touch "$@"

$(VENV)/test-extra: $(VENV)/installed
	"$(BIN)/python" -m pip install --quiet ".[test]"
	touch "$@"

$(VENV)/attack-extra: $(VENV)/installed
	"$(BIN)/python" -m pip install --quiet ".[test,attack]"
	touch "$@"

$(VENV)/audit: $(VENV)/installed
	"$(BIN)/python" -m pip install --quiet pip-audit
	touch "$@"

$(VENV)/tox: $(BIN)/python
	"$(BIN)/python" -m pip install --quiet "tox>=4.20"
	touch "$@"

clean:
	rm -rf "$(VENV)" .tox build dist *.egg-info
