#!/usr/bin/env bash
# The fault rows again and again: whether one of them fails now and then.
#
#   tools/fault_runs.sh RUNS [PYTEST ARGUMENTS]         (PYTHON=... and VENV=... in the environment, as for the tests)
#   PYTHON=python3.15 tools/run_in_sid.sh tools/fault_runs.sh 10
#
# At the end stands how many runs failed, and each test that did. The output of run N is in build/faults/NAME/N.log;
# interpreters with a VENV of their own may run at once. With HARDWORK_FAULT_RESULTS=FOLDER the results of the last run
# go there, for tools/faults_page.py.
set -u
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT" || exit 1

runs=${1:-10}
[ $# -eq 0 ] || shift
case $runs in '' | *[!0-9]*) die "usage: tools/fault_runs.sh RUNS [PYTEST ARGUMENTS]" ;; esac
"$ROOT/tools/setup_venv.sh" test || exit 1
logs=$ROOT/build/faults/$(basename "$VENV")
rm -rf "$logs"
mkdir -p "$logs"

failed=0
for ((run = 1; run <= runs; ++run)); do
    started=$SECONDS
    if "$VENV/bin/python" -m pytest -q -p no:cacheprovider tests/python/faults "$@" >"$logs/$run.log" 2>&1; then
        word=passed
    else
        word=FAILED
        failed=$((failed + 1))
    fi
    say "run $run of $runs: $word ($((SECONDS - started)) s): $(tail -n 1 "$logs/$run.log")"
done
say "$failed of $runs runs failed"
grep -h -E '^(FAILED|ERROR) |^Timeout ' "$logs"/*.log | sed 's/ - .*//' | sort | uniq -c | sort -rn
[ $failed = 0 ]
