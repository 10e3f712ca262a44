# Bare `make` prints the targets. Parameters read naturally: make run SOURCE=live COINS=100
.DEFAULT_GOAL := help
.PHONY: help run test lab report doctor bench check coverage adf-check fix clean api deploy

PY := .venv/bin/python
READY := .venv/ready
FAST := not spark and not connect and not browser and not slow
# Only values given on the command line are parameters; ARGS holds options of the command itself.
GIVEN = $(filter-out ARGS=%,$(MAKEOVERRIDES))
find_python = for python in python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& { echo $$python; break; }; done

help:  ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(READY): requirements.txt pyproject.toml adf_lab/pyproject.toml
	@python=$$($(find_python)); [ -n "$$python" ] \
	|| { echo "No Python 3.11 or 3.12 found. Install one, for example: apt install python3 python3-venv" >&2; exit 1; }; \
	$$python coinlake_ops/bootstrap.py

run: $(READY)  ## run the whole pipeline; make run SOURCE=live COINS=100 AS_OF=+1h …
	@$(PY) -m coinlake_ops.batch $(ARGS) $(GIVEN)

test: $(READY)  ## run every check and every test
	@$(PY) -m coinlake_ops.check && $(PY) -m pytest -n 2 $(ARGS)

lab: $(READY)  ## open the notebooks in JupyterLab
	@$(PY) -m coinlake_ops.spark_server run --lake lake/simulated -- .venv/bin/jupyter lab --ip=127.0.0.1 \
	--LabApp.app_settings_dir=$(CURDIR)/coinlake_ops/jupyterlab $(ARGS) notebooks

report: $(READY)  ## render the reports of the last run again, and reports/README.md with its pictures
	@$(PY) -m coinlake_ops.report $(ARGS)

api: $(READY)  ## serve the simulated CoinGecko API on 127.0.0.1
	@$(PY) -m coinlake_ops.api $(ARGS)

doctor: $(READY)  ## check Python, Java, Spark, Delta, memory and disk
	@$(PY) -m coinlake_ops.doctor

bench: $(READY)  ## measure speed, as ratios
	@$(PY) -m coinlake_ops.bench $(ARGS)

check: $(READY)  ## the fast part of the tests, without Spark
	@$(PY) -m coinlake_ops.check && $(PY) -m pytest -q -n 2 -m "$(FAST)" $(ARGS)

coverage: $(READY)  ## measure which lines the fast tests reach
	@$(PY) -m pytest -q -n 2 -m "$(FAST)" --cov --cov-report=term $(ARGS)

adf-check: $(READY)  ## check the Data Factory in adf/
	@$(PY) -m coinlake_ops.factory parameters --check && $(PY) -m coinlake_ops.factory check $(ARGS)

fix: $(READY)  ## format code, strip notebooks' outputs
	@$(PY) -m coinlake_ops.check --fix

deploy:  ## bring an environment to Azure; make deploy ENV=dev ARGS="--only factory"
	@[ -n "$(ENV)" ] || { echo "Say which environment: make deploy ENV=dev (see coinlake_ops/azure/README.md)" >&2; exit 2; }
	@$(MAKE) --no-print-directory $(READY)
	@$(PY) -m coinlake_ops.deploy apply --environment $(ENV) $(ARGS)

clean:  ## delete lake/, everything generated
	@rm -rf lake && echo "lake/ is gone; the next make run makes it anew"
