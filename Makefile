# One word each. They need python3 (3.11 or newer) with pip; all else comes into .venv.

UV := .uv/bin/uv
INSTALL = $(UV) pip install --quiet --python .venv
COMPILE = $(UV) pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-header --quiet

run: .venv/.run  # the program; make run PORT=8600
	@.venv/bin/syncdesk up $(if $(PORT),--port $(PORT))

test: .venv/.dev  # all tests; make test ARGS="tests/unit -x"
	@.venv/bin/python -m pytest $(ARGS)

check: .venv/.dev  # form, faults, types, and who imports whom
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports

format: .venv/.dev  # mends the form, and the order of imports
	.venv/bin/ruff check --select I --fix --quiet
	.venv/bin/ruff format

docs: .venv/.dev  # writes what is in docs/ anew, after a change of resources, errors or the plan
	@.venv/bin/python -m sync_core.cli.support_page
	@.venv/bin/python -m sync_core.cli.plan_page
	@.venv/bin/python -m sync_core.cli.proof_script

screenshots: .venv/.dev  # every page, light, dark and on a phone, into screenshots/
	@.venv/bin/python -m pytest tests/browser/screenshots.py

lock: | $(UV)  # after a change of dependencies; make lock ARGS=--upgrade takes newer versions, too
	$(COMPILE) --output-file requirements.lock $(ARGS)
	$(COMPILE) --output-file requirements-dev.lock $(ARGS) --group dev --constraint requirements.lock

audit: | $(UV)  # whether a locked package has a known hole; says so where nobody can be asked
	@.ci/audit

migration: .venv/.dev  # after a change of tables; make migration MESSAGE="rooms"
	@.venv/bin/python -m sync_core.migrations "$(MESSAGE)"

.PHONY: run test check format docs screenshots lock audit migration

# The runtime's packages are added to whatever is there, so a developer's tools stay.
.venv/.run: requirements.lock pyproject.toml .venv/.here
	@echo "Installing the packages of requirements.lock in .venv; the first time takes a while."
	@rm -f .venv/.run .venv/.dev
	@$(INSTALL) --require-hashes --requirements requirements.lock
	@$(INSTALL) --no-deps --editable .
	@touch .venv/.run

# A developer's environment holds exactly its lock, which has the runtime's in it.
.venv/.dev: requirements-dev.lock pyproject.toml .venv/.here
	@echo "Installing the packages of requirements-dev.lock in .venv; the first time takes a while."
	@rm -f .venv/.run .venv/.dev
	@$(UV) pip sync --quiet --python .venv --require-hashes requirements-dev.lock
	@$(INSTALL) --no-deps --editable .
	@touch .venv/.run .venv/.dev

# An environment that was moved or copied, or whose Python is another one now, is made anew.
HERE := pwd -P; .venv/bin/python --version
ifneq ($(shell { $(HERE); } 2>&1; true),$(shell cat .venv/.here 2>&1))
.PHONY: .venv/.here
endif
.venv/.here: | $(UV)
	@python=$$($(UV) python find --system --no-python-downloads '>=3.11' 2>/dev/null) || \
		{ echo "Sync Desk needs Python 3.11 or newer; here is $$(python3 --version)."; exit 1; }; \
		$(UV) venv --quiet --clear --python "$$python" .venv
	@{ $(HERE); } > .venv/.here

.uv/bin/uv:
	@python3 -m pip install --quiet --no-cache-dir --disable-pip-version-check \
		--root-user-action=ignore --target .uv uv==0.13.9 || \
		{ echo "Sync Desk could not fetch uv: it needs python3 with pip, and the network."; exit 1; }

# uv keeps its downloads in the home folder; where none can be written to, here.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR ?= .uv/cache
endif

# uv brings certificates along; where the system has its own, its owner may have added some.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt),)
export UV_SYSTEM_CERTS ?= 1
endif
