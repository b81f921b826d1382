# Instrument Commons: everything a developer or a curious person types.
# "sh config/bootstrap.sh" gets Python packages and front-end files when they are missing or
# out of date; config/local then does the work. Paths are relative, so the checkout may lie
# anywhere, also in a folder with a space in its name.

.DEFAULT_GOAL := help
.PHONY: help install run dev stop check test test-deep bench pictures shell manage backup restore reset clean pins release test-system

# Handed on as environment variables, so that quotes in them survive.
export ARGS CMD TO FROM YES

READY := sh config/bootstrap.sh
LOCAL := exec .venv/bin/python -m config.local

help: ## Show this list
	@echo "Instrument Commons"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make run PORT=9000                      another port than 8000"
	@echo "  make test ARGS=\"tests/config -k ports\"  only these tests, without linters"
	@echo "  make manage CMD=\"migrate --plan\"        any command of manage.py"
	@echo
	@echo "  DATABASE_URL and REDIS_URL name servers of your own; without them bundled ones are started."

install: ## Get Python packages and front-end files, and start nothing
	@$(READY) test

run: ## Start the platform with demonstration data; Ctrl-C stops it
	@$(READY) run && $(LOCAL) run

dev: ## The same for developers: what is saved is seen within seconds
	@$(READY) test && $(LOCAL) dev

stop: ## Stop what "make run" started in this checkout, from another terminal
	@$(READY) run && $(LOCAL) stop

check: ## Check style, types, imports and rules, without servers: about a minute
	@$(READY) test && $(LOCAL) check

test: ## The same, then behaviour
	@$(READY) test && $(LOCAL) test

test-deep: ## The same with many more examples, races and pages (long)
	@$(READY) test && TEST_PROFILE=deep $(LOCAL) test

bench: ## Measure speed
	@$(READY) test && $(LOCAL) bench

pictures: ## Take the pictures of the README anew (needs a Chromium)
	@$(READY) test && $(LOCAL) pictures

shell: ## Open a Python shell with Django and the database
	@$(READY) run && $(LOCAL) manage shell

manage: ## Run a command of manage.py: make manage CMD="..."
	@$(READY) run && $(LOCAL) manage

backup: ## Copy database and uploads to a folder: make backup TO=backups
	@$(READY) run && $(LOCAL) backup

restore: ## Bring a backup into an empty database (make reset YES=1 empties it): make restore FROM=...
	@$(READY) run && $(LOCAL) restore

reset: ## Say what local data there is, stop the platform and delete it: make reset YES=1
	@$(READY) run && $(LOCAL) reset

clean: ## Delete installed packages (.venv, node_modules); data stays
	rm -rf .venv node_modules

test-system: ## Install a release offline and try it behind nginx (needs what .ci/run installs)
	@$(READY) test && SYSTEM=1 ARGS="$(or $(ARGS),tests/system)" $(LOCAL) test

release: ## Pack the last commit for installing offline: dist/instrument-commons-VERSION.tar.gz
	@$(READY) test && $(LOCAL) release

pins: ## Resolve requirements*.txt and package-lock.json anew from what we name
	@sh config/bootstrap.sh pins
