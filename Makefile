# Bare `make` prints the targets. Parameters read naturally: make run SOURCE=live COINS=100
# Each target builds .venv if need be and calls the command `coinlake`, which can do more: .venv/bin/coinlake --help
.DEFAULT_GOAL := help
.PHONY: help run watch test whole crash lab report sentences doctor bench check coverage adf-check fix clean api deploy

PY := .venv/bin/python
COINLAKE := $(PY) -m coinlake_ops
READY := .venv/ready
# Python reads the names of its folders by the locale, and does not start where that cannot spell them.
ifeq ($(filter %UTF-8 %utf-8 %UTF8 %utf8,$(or $(LC_ALL),$(LC_CTYPE),$(LANG))),)
export LC_ALL := C.UTF-8
endif
FAST := not spark and not connect and not browser and not processes and not evidence and not slow
# Only values given on the command line are parameters, each in quotes of the shell; ARGS holds options of the command.
names = $(sort $(foreach word,$(MAKEOVERRIDES),$(if $(findstring =,$(word)),$(firstword $(subst =, ,$(word))))))
quoted = '$(subst ','\'',$(1))'
GIVEN = $(foreach name,$(filter-out ARGS,$(names)),$(if $(filter command%,$(origin $(name))),$(call quoted,$(name)=$(value $(name)))))
find_python = for python in python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& { echo $$python; break; }; done

help:  ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(READY): requirements.txt pyproject.toml adf_lab/pyproject.toml
	@python=$$($(find_python)); [ -n "$$python" ] \
	|| { echo "No Python 3.11 or 3.12 found. Install one, for example: apt install python3 python3-venv" >&2; exit 1; }; \
	$$python coinlake_ops/dev/bootstrap.py

run: $(READY)  ## run the whole pipeline; make run SOURCE=live COINS=100 AS_OF=+1h …
	@$(COINLAKE) run $(ARGS) $(GIVEN)

watch: $(READY)  ## run it again and again, and show the market now as a page; make watch EVERY=1m SOURCE=live …
	@$(COINLAKE) watch $(ARGS) $(GIVEN)

test: $(READY)  ## run every check and every test
	@$(COINLAKE) check && $(PY) -m pytest -n 2 -m "not whole" $(ARGS)

whole: $(READY)  ## run at length what `make test` samples: the course on a volume, odd answers by the thousand
	@$(PY) -m pytest -v -m whole $(ARGS)

crash: $(READY)  ## kill runs at their commit points, at random instants, over a hostile week; compare every lake
	@$(COINLAKE) crash $(ARGS)

lab: $(READY)  ## open the notebooks in JupyterLab
	@$(COINLAKE) lab $(ARGS)

report: $(READY)  ## render the reports of the last run again, and reports/README.md with its pictures
	@$(COINLAKE) report $(ARGS)

sentences: $(READY)  ## print every sentence of the reports over markets of all kinds, to be read
	@$(PY) -m tests.support.sentences

api: $(READY)  ## serve the simulated CoinGecko API on 127.0.0.1
	@$(COINLAKE) api $(ARGS)

doctor: $(READY)  ## check Python, Java, Spark, Delta, memory and disk
	@$(COINLAKE) doctor

bench: $(READY)  ## measure speed, as ratios
	@$(COINLAKE) bench $(ARGS)

check: $(READY)  ## style, types, imports, and the fast tests: no Spark, no other program, no doubles of a cloud or a database server
	@$(COINLAKE) check && $(PY) -m pytest -q -n 2 -m "$(FAST)" --ignore=tests/deploy --ignore=tests/warehouse $(ARGS)

coverage: $(READY)  ## measure which lines the fast tests reach
	@$(PY) -m pytest -q -n 2 -m "$(FAST)" --cov --cov-report=term $(ARGS)

adf-check: $(READY)  ## check the Data Factory in adf/
	@$(COINLAKE) factory parameters --check && $(COINLAKE) factory check $(ARGS)

fix: $(READY)  ## format code, strip notebooks' outputs
	@$(COINLAKE) fix

deploy:  ## bring an environment to Azure; make deploy ENV=dev ARGS="--only factory"
	@[ -n $(call quoted,$(value ENV)) ] || { echo "Say which environment: make deploy ENV=dev (see coinlake_ops/azure/README.md)" >&2; exit 2; }
	@$(MAKE) --no-print-directory $(READY)
	@$(COINLAKE) deploy apply --environment $(call quoted,$(value ENV)) $(ARGS)

clean:  ## delete lake/, everything generated
	@rm -rf lake && echo "lake/ is gone; the next make run makes it anew"
