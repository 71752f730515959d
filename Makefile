# Nothing is needed before any of these: each sees to what it needs itself (tools/bootstrap.sh, tools/setup_venv.sh).
# PYTHON=... selects the interpreter, JOBS=... how much runs side by side.

export PYTHON VENV JOBS

.PHONY: help demo test test-cpp test-python test-faults faults-page properties test-clients test-cpython fuzz soak bench bench-cpp docs lint format clean

help:
	@echo "make demo          the question's job, hardwork against the standard library (FULL=1: without shortcuts)"
	@echo "make test          every test and check"
	@echo "make test-cpp      the C++ tests (PRESET=dev, clang, release, asan, tsan or ubsan)"
	@echo "make test-python   the Python tests (ARGS=... for pytest)"
	@echo "make test-faults   the rows of the fault table, RUNS=10 times over (ARGS=... for pytest)"
	@echo "make faults-page   docs/faults.md from the results in RESULTS=folder"
	@echo "make properties    the property tests, with random values (EXAMPLES=20000 for each, SEED=n repeats a run)"
	@echo "make test-clients  SciPy, scikit-learn, Dask, tqdm and others with our pools in them (installs them)"
	@echo "make test-cpython  CPython's own tests of both classes, with ours swapped in"
	@echo "make fuzz          hostile bytes for all that reads bytes (SECONDS=60 for each program)"
	@echo "make soak          everything at once while workers are killed, and the books checked (MINUTES=3)"
	@echo "make bench         the benchmarks (ARGS=... for bench)"
	@echo "make bench-cpp     the C++ library against oneTBB, std::async, fork, xargs (ARGS=... for Google Benchmark)"
	@echo "make docs          the C++ reference, build/docs/html/index.html; fails if a public symbol is undocumented"
	@echo "make lint          layers, formatting, types; make format mends what can be mended"
	@echo "make clean         removes what was built"

demo:
	@tools/setup_venv.sh demo
	@tools/build_example.sh factorize
	@$(or $(VENV),.venv)/bin/python -m hardwork demo $(if $(FULL),--full)

test: test-cpp test-python lint

test-cpp:
	@tools/test_cpp.sh $(or $(PRESET),dev)

test-python:
	@tools/test_python.sh $(ARGS)

test-faults:
	@tools/fault_runs.sh $(or $(RUNS),10) $(ARGS)

faults-page:
	@python3 tools/faults_page.py $(if $(RESULTS),--results $(RESULTS))

properties:
	@HARDWORK_PROPERTIES=$(or $(EXAMPLES),20000) HARDWORK_SEED=$(SEED) tools/test_python.sh -s \
		-o faulthandler_timeout=0 tests/python/test_codec_property.py $(ARGS)

test-clients:
	@tools/test_clients.sh $(ARGS)

test-cpython:
	@tools/test_cpython.sh $(ARGS)

fuzz:
	@tools/fuzz.sh $(or $(SECONDS),60) $(ARGS)

soak:
	@tools/setup_venv.sh test
	@$(or $(VENV),.venv)/bin/python tools/soak.py --minutes $(or $(MINUTES),3) $(ARGS)

bench:
	@tools/setup_venv.sh test demo
	@$(or $(VENV),.venv)/bin/python -m bench $(ARGS)

bench-cpp:
	@tools/bench_cpp.sh $(ARGS)

docs:
	@tools/docs.sh

lint:
	@tools/lint.sh

format:
	@tools/lint.sh --fix

clean:
	rm -rf build .venv .venvs demo-out bench-out .mypy_cache .pytest_cache .ruff_cache
