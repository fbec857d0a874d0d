.DEFAULT_GOAL := help
.PHONY: help demo dev test test-long check sam-local-test lint format account model isolation fuzz bench build deploy acceptance lock clean

SAM_BUILD_FLAGS ?=
SAM_DEPLOY_FLAGS ?=
# Of the rest only what is given on make's command line counts: REGION, PROFILE or ENV exported by a shell mean others.
given = $(if $(filter command,$(origin $1)),$($1))
quoted = '$(subst ','\'',$1)'
option = $(if $(call given,$1),$2 $(call quoted,$(call given,$1)))
PORT := $(or $(call given,PORT),4566)
SECONDS := $(or $(call given,SECONDS),60)
WHERE = $(call option,STACK,--stack) $(call option,REGION,--region) $(call option,PROFILE,--profile)
# Where a shell or an image turns bytecode off, each process would compile all that it imports: half of what it does.
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH" SAM_CLI_TELEMETRY=0 PYTHONDONTWRITEBYTECODE=
FLAGCAST = $(RUN) $(if $(call given,CONFIG),FLAGCAST_CONFIG=$(call quoted,$(call given,CONFIG))) flagcast

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/ready: requirements.lock pyproject.toml scripts/bootstrap
	@scripts/bootstrap

demo: .venv/ready ## Run the whole pipeline on this machine and show what arrived
	@$(RUN) flagcast demo --port $(PORT)

dev: .venv/ready ## Keep the local stack running until Ctrl-C, and show what happens (CONFIG=..., ARGS="--full", CONTAINERS=1)
	@FLAGCAST_CONTAINERS=$(call quoted,$(call given,CONTAINERS)) $(FLAGCAST) dev --port $(PORT) $(call given,ARGS)

test: .venv/ready ## Run every test: unit, integration, end to end (ARGS=... narrows, as for pytest)
	@$(RUN) python -m scripts.suite test $(call given,ARGS)

test-long: .venv/ready ## Run what takes longer than every change can wait for: whole simulations, mutations, coverage
	@$(RUN) python -m scripts.suite test-long $(call given,ARGS)

check: .venv/ready ## Run the linters and the unit tests, for the minute before a commit
	@$(RUN) python -m scripts.suite check

sam-local-test: .venv/ready ## Run the functions in Lambda's containers, by sam local (needs Docker)
	@exports=$$(.ci/containers) && eval "$$exports" && $(RUN) pytest -v -s -m containers tests/sam_local

lint: .venv/ready ## Check style, types, the template and the configuration
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@scripts/lint-template
	@$(FLAGCAST) check

format: .venv/ready ## Format the code
	@$(RUN) ruff check --fix-only --quiet .
	@$(RUN) ruff format .

account: .venv/ready ## Account for 10,000 events while everything fails (eleven minutes)
	@$(RUN) python -m tests.loss_check

model: .venv/ready ## Count what 24,000 events lose in a model of Flipt: a table that fails, replicas (a minute)
	@$(RUN) python -m tests.flipt_model

isolation: .venv/ready ## Measure what a destination that hangs or fails costs the others (half an hour)
	@$(RUN) python -m benchmarks.isolation

fuzz: .venv/ready ## Search for bad input: fuzz requests and tasks (SECONDS=60 each), draw new examples for each property
	@$(RUN) pytest -m hypothesis --hypothesis-profile=search --numprocesses auto
	@$(RUN) python -m pip install --quiet --disable-pip-version-check atheris==3.1.0
	@$(RUN) python -m tests.fuzz.run ingest -max_total_time=$(SECONDS)
	@$(RUN) python -m tests.fuzz.run task -max_total_time=$(SECONDS)

bench: .venv/ready ## Measure speed against the floors (five minutes) and write docs/performance.md
	@$(RUN) python -m benchmarks.run

build: .venv/ready ## Check the configuration and build what is deployed, with bytecode, into .aws-sam
	@$(FLAGCAST) build $(call option,ENV,--env) -- $(SAM_BUILD_FLAGS)

# CONFIG is a folder of your own with flagcast.yaml and templates/, so that an upgrade is a git pull without a conflict.
deploy: .venv/ready ## Check, build, deploy and look at it: STACK=NAME REGION=..., or ENV= of samconfig.toml; CONFIG=../ours
	@$(FLAGCAST) deploy $(call option,ENV,--env) $(WHERE) -- $(SAM_DEPLOY_FLAGS)

acceptance: .venv/ready ## Try everything on a real AWS account: STACK=flagcast-acceptance REGION=... (asks first; ARGS=--yes, --clean)
	@$(RUN) python -m tests.acceptance $(WHERE) $(call given,ARGS)

lock: .venv/ready ## Resolve the dependencies again and pin them
	@scripts/lock

clean: ## Remove everything that was built
	@rm -rf .venv .tools .aws-sam .local-stack .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
