#!/usr/bin/env bash
# The command: map_test.sh COMMAND PLUGIN. Prints what is wrong; the exit code says whether anything is.
set -u
hardwork=$1
plugin=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

wrong() {
    failures=$((failures + 1))
    printf 'WRONG: %s\n' "$*"
    [ ! -s err ] || sed 's/^/    stderr: /' err
}
# run CODE ARGUMENT...: runs `hardwork map` with what is in the file `in`; output in `out` and `err`.
run() {
    local code=$1 got
    shift
    # A watchdog, no measure.
    timeout -s KILL 100 "$hardwork" map "$@" <in >out 2>err
    got=$?
    [ $got = "$code" ] || wrong "$*: exit code $got, not $code"
}
gives() { printf "$@" | cmp -s - out || wrong "output is $(head -c 200 out), not $1"; }
says() { grep -qF -- "$1" err || wrong "standard error does not say: $1"; }
# A process that nobody has reaped yet has ended all the same.
alive() { grep -qE '^State:[[:space:]]+[^ZX]' "/proc/$1/status" 2>/dev/null; }
# eventually COMMAND...: a watchdog, no measure.
eventually() {
    for _ in $(seq 500); do
        ! "$@" || return 0
        sleep 0.02
    done
    return 1
}
dead() { ! alive "$1"; }
silent() { [ ! -s err ] || wrong "standard error is not empty"; }

# -- commands

printf 'a\nb c\n\nd' >in
run 0 --exec 'echo x{}y{}'
gives 'xaya\nxb cyb c\nxy\nxdyd\n'
silent
run 0 -j 2 --exec 'printf "<%s>\\n"'
gives '<a>\n<b c>\n<>\n<d>\n'
run 0 --jobs=3 --exec "printf '%s|' \"a b\" c\\ d '' {}"
gives 'a b|c d||a|a b|c d||b c|a b|c d|||a b|c d||d|'

# What comes first in the input comes first in the output, whoever is done first.
printf '0.3\n0\n0.1\n0\n' >in
run 0 -j 4 --shell --exec 'sleep {}; echo {}'
gives '0.3\n0\n0.1\n0\n'

# A line is data to the shell.
printf '%s\n' '$(touch made); echo "x' "it's" >in
run 0 --shell --exec 'echo {}; echo "$1"'
gives '%s\n' '$(touch made); echo "x' '$(touch made); echo "x' "it's" "it's"
[ ! -e made ] || wrong "a line was run by the shell"

printf 'a b\0c\nd\0' >in
run 0 -0 --exec 'printf [%s]'
gives '[a b][c\nd]'

: >in
run 0 --exec 'echo'
gives ''

# Standard input is ours, not theirs.
printf '1\n2\n' >in
run 0 -j 1 --shell --exec 'cat; echo {}'
gives '1\n2\n'

# Failures: the others are done all the same.
printf '0\n3\n0\n' >in
run 1 -j 2 --shell --exec 'echo got {}; exit {}'
gives 'got 0\ngot 3\ngot 0\n'
says 'item 2, "3": exit code 3'
says '1 of 3 failed'
printf 'x\n' >in
run 1 --shell --exec 'kill -9 $$'
says 'item 1, "x": killed by signal 9'
head -c 300000 /dev/zero | tr '\0' y >in
run 1 --exec true
says 'could not be started: Argument list too long'
says '"yyyyyyyy'
printf 'a\0b\n' >in
run 1 --exec echo
says 'a zero byte cannot be in an argument'

# Again: each fails once.
printf 'one\ntwo\n' >in
run 0 --retries 1 --shell --exec 'test -e {} && echo again || { touch {}; echo lost; exit 1; }'
gives 'again\nagain\n'
silent
rm -f one two
run 1 --retries 2 --shell --exec 'echo {} >>tries; exit 1'
[ "$(sort tries | uniq -c | tr -s ' ' | tr '\n' ,)" = ' 3 one, 3 two,' ] || wrong "tries: $(cat tries)"

# Time limits: what a command has started ends with it.
printf 'hang\n' >in
run 1 --timeout 0.2 --shell --exec 'sleep 1000 & echo $! >pid; wait'
says 'took longer than --timeout'
eventually dead "$(cat pid)" || wrong "what a late command has started is left"
run 1 --timeout 0.1 --shell --exec 'trap "" TERM; while :; do sleep 1; done'
says 'took longer than --timeout'
printf 'quick\n' >in
run 0 --timeout 50 --exec 'echo'
gives 'quick\n'

# Who ends us ends what we have started with a time limit.
echo x >in
"$hardwork" map --timeout 100 --shell --exec 'echo $$ >child; exec sleep 1000' <in >out 2>err &
pid=$!
eventually test -s child
kill -TERM $pid
wait $pid
[ $? = 143 ] || wrong "SIGTERM did not end it as such"
eventually dead "$(cat child)" || wrong "SIGTERM was not passed on"

# Ctrl-C as well. (What is started behind a shell's back ignores it.)
rm -f child
env --default-signal=INT "$hardwork" map --timeout 100 --shell --exec 'echo $$ >child; exec sleep 1000' <in >out 2>err &
pid=$!
eventually test -s child
kill -INT $pid
wait $pid
[ $? = 130 ] || wrong "SIGINT did not end it as such"
eventually dead "$(cat child)" || wrong "what it has started outlives Ctrl-C"
silent

# Much output, and much input.
seq 50 >in
run 0 -j 4 --shell --exec 'head -c 300000 /dev/zero | tr "\0" a; echo'
[ "$(wc -c <out) $(wc -l <out)" = '15000050 50' ] || wrong "much output: $(wc <out)"
seq 3000 >in
run 0 -j 3 --exec 'echo'
cmp -s in out || wrong "3000 lines"

# A line is worked on before the next one has come.
mkfifo slow
"$hardwork" map --exec 'echo got' <slow >out 2>err &
pid=$!
exec 3>slow
echo one >&3
eventually test -s out
gives 'got one\n'
exec 3>&-
wait $pid

# Nobody reads the output.
seq 100000 >in
timeout 100 "$hardwork" map --exec echo <in 2>err | head -n 1 >out
[ "${PIPESTATUS[0]}" = 1 ] || wrong "exit code ${PIPESTATUS[0]} where nobody reads"
says 'cannot write to standard output: Broken pipe'

# -- functions

printf 'a\nb c\n\nd' >in
run 0 -j 2 -- "$plugin:describe"
gives 'a 1\nb c 3\n 0\nd 1\n'
silent
seq 30000 >in
run 0 -- "$plugin:describe"
awk '{print $0, length($0)}' in | cmp -s - out || wrong "30000 lines by a function"
# In the order of the lines, whoever is done first.
printf '0.4\n0\n0.2\n0\n0.1\n' >in
run 0 -j 4 -- "$plugin:doze"
gives '0.4\n0\n0.2\n0\n0.1\n'
silent
seq 300 >in
run 0 "$plugin:much"
[ "$(wc -c <out)" = 30000000 ] || wrong "much output by a function"
printf 'x\0y\n\0' >in
run 0 --null -- "$plugin:describe"
gives 'x 1\ny\n 2\n'

printf 'x\ncrash\nfail\nthrow\nleave\ny\n' >in
run 1 -j 2 -- "$plugin:obey"
gives 'x\ny\n'
says 'item 2, "crash": worker '
says 'killed by signal 11'
says 'item 3, "fail": returned 7'
says 'item 4, "throw": threw std::out_of_range: too far'
says 'item 5, "leave": worker '
says '4 of 6 failed'
printf 'x\nhang\ny\n' >in
run 1 -j 2 --timeout 0.2 "$plugin:obey"
gives 'x\ny\n'
says 'item 2, "hang": took longer than --timeout'
printf '%s\n' "$work/first" "$work/second" >in
run 0 --retries 1 "$plugin:second_time"
gives 'again\nagain\n'
printf 'crash\nx\n' >in
run 1 --retries 2 "$plugin:obey"
gives 'x\n'
says '1 of 2 failed'
seq 100000 >in
timeout 100 "$hardwork" map "$plugin:describe" <in 2>err | head -n 1 >out
[ "${PIPESTATUS[0]}" = 1 ] || wrong "exit code ${PIPESTATUS[0]} where nobody reads"
"$hardwork" map "$plugin:describe" <slow >out 2>err &
pid=$!
exec 3>slow
echo one >&3
eventually test -s out
gives 'one 3\n'
exec 3>&-
wait $pid

# Ctrl-C ends it and its workers, in silence.
echo "$work/worker" >in
env --default-signal=INT "$hardwork" map -j 2 "$plugin:stay" <in >out 2>err &
pid=$!
eventually test -s worker
kill -INT $pid
wait $pid
[ $? = 130 ] || wrong "SIGINT did not end it as such, with a plugin"
eventually dead "$(cat worker)" || wrong "a worker outlives Ctrl-C"
silent

# -- a terminal is shown how far it is, and nothing of that stays

if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    printf '0.5\n' >in
    script -qec "'$hardwork' map --exec sleep <in" /dev/null </dev/null >out
    grep -q '0 done, 0 of them failed' out || wrong "no progress on a terminal"
    printf '0\n0.3\n0.3\n' >in
    script -qec "'$hardwork' map -j 1 '$plugin:doze' <in" /dev/null </dev/null >out
    grep -q '2 done, 0 of them failed' out || wrong "no progress on a terminal, with a plugin"
fi

# -- bad usage

printf 'a\n' >in
bad() {
    local what=$1
    shift
    run 2 "$@"
    says "$what"
    gives ''
}
bad 'what shall be done with each line?'
bad 'is not LIBRARY:FUNCTION' -- ./plugin.so
bad 'is not LIBRARY:FUNCTION' -- ./plugin.so:
bad 'cannot open shared object file' -- ./absent.so:function
bad 'undefined symbol: absent' -- "$plugin:absent"
bad 'there is no option --many' --many
bad 'there is no option -x' -x
bad '-j is 0; it must be a number from 1 to 1024' -j 0 --exec true
bad '-j is 1025' -j1025 --exec true
bad '--jobs is 2x' --jobs 2x --exec true
bad '--jobs needs a value' --jobs
bad '--timeout is 0' --timeout 0 --exec true
bad '--timeout is -1' --timeout=-1 --exec true
bad '--timeout is nan' --timeout nan --exec true
bad '--timeout is 1s' --timeout 1s --exec true
bad '--retries is -1' --retries -1 --exec true
bad 'with --exec nothing stands behind the options: more' --exec true more
bad '--exec has no command' --exec ' '
bad 'a quote is open' --exec "echo 'x"
bad 'there is no program no-such-program' --exec no-such-program
bad 'there is no program ./plugin.cpp' --exec ./plugin.cpp
bad 'what is started cannot be {}' --exec '{} x'
bad '--shell is for --exec' --shell -- "$plugin:describe"
timeout 100 "$hardwork" 2>err
[ $? = 2 ] || wrong "without a command it is not bad usage"
timeout 100 "$hardwork" pam 2>err
[ $? = 2 ] || wrong "pam is not bad usage"
says 'there is no command pam'
for help in '--help' '-h' 'map --help' 'map -h'; do
    # shellcheck disable=SC2086  # words
    timeout 100 "$hardwork" $help >out 2>err || wrong "$help"
    grep -q 'Usage: hardwork map' out || wrong "$help says nothing"
    silent
done
"$hardwork" --version | grep -qE '^hardwork [0-9]+\.[0-9]+\.[0-9]+$' || wrong "--version"

# -- no input

timeout 100 "$hardwork" map --exec echo <&- >out 2>err
[ $? = 1 ] || wrong "closed standard input"
says 'cannot read standard input'
timeout 100 "$hardwork" map "$plugin:describe" <"$work" >out 2>err
[ $? = 1 ] || wrong "a folder as standard input"
says 'cannot read standard input: Is a directory'

[ $failures = 0 ] || printf '%s wrong\n' $failures
[ $failures = 0 ]
