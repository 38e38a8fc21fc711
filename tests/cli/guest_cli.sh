#!/bin/sh
# SPDX-License-Identifier: MIT
# The command `evring` on a real kernel: first without the module, then with it. Runs in
# the guest by busybox sh; each check prints a line, the first failure ends it.
fail() { echo "FAIL: $*"; cat /tmp/out /tmp/err 2>/dev/null; exit 1; }

# expect CODE TEXT COMMAND...: exit code, and TEXT somewhere in what it printed.
expect() {
  wanted=$1 text=$2
  shift 2
  "$@" >/tmp/out 2>/tmp/err
  code=$?
  [ "$code" = "$wanted" ] || fail "'$*' ended with $code, not $wanted"
  [ -z "$text" ] || grep -qF -- "$text" /tmp/out /tmp/err || fail "'$*' did not say '$text'"
  echo "ok: $*"
}

# expect_lines COUNT TEXT: of the last command's standard output.
expect_lines() {
  count=$(grep -cF -- "$2" /tmp/out)
  [ "$count" = "$1" ] || fail "$count lines with '$2', not $1"
}

mkdir -p /run  # where root's local rings are found; doctor rightly misses it

echo "== without the module"
expect 1 "module evring is not loaded" evring list --kernel
expect 1 "module evring is not loaded" evring add foo
expect 1 "module evring is not loaded" evring watch foo
expect 4 "skipped" evring stress --device kernel --skip-if-absent
expect 1 "neither loaded nor installed" evring doctor
expect 1 "no devices without the module" evring doctor
expect 0 "local rings are found" evring doctor --local

insmod /modules/evring.ko || fail "evring.ko does not load"
echo "== with it"
expect 0 "evring is loaded" evring doctor
expect 0 "devices by" evring doctor
expect 0 "no rings" evring list
expect 1 "device 'foo': not found in /dev/evring; 'evring list' shows what is there" evring watch foo
expect 1 "not found in /dev/evring" evring remove foo
expect 1 "not found in /dev/evring" evring inject foo --count 1

expect 0 "/dev/evring/soft0" evring add soft0 --slots 64
expect 1 "device 'soft0'" evring add soft0
expect 0 "/dev/evring/a.b" evring add a.b --barrier ipi --slots 64
expect 0 "" evring remove a.b
expect 0 "soft0" evring list
expect 0 "offered 3, published 3, dropped 0" evring inject soft0 --payload hello --count 3 --type 5
expect 0 "received 3 + lost 0 = 3" evring watch soft0 --start oldest --count 3
expect_lines 3 '"hello"'
expect_lines 3 "type 5"
expect 0 "published 200" evring inject soft0 --count 200 --batch 10
expect 3 '"lost":139' evring watch soft0 --start 0 --count 64 --json --fail-on-loss
expect_lines 64 '"sequence"'
expect 1 "sequence" evring watch soft0 --start 100000
expect 0 "soft0" evring stat soft0 --interval 0.1 --json

echo "== a timer"
expect 0 "/dev/evring/tick" evring add tick --source timer --rate 200 --batch 2
evring watch tick --quiet >/tmp/watched 2>&1 &
watcher=$!
sleep 1
expect 0 "evring watch" evring stat tick --interval 0.5
expect 1 "takes no injected events" evring inject tick --count 1
kill -INT $watcher
wait $watcher || fail "watch after an interrupt: $(cat /tmp/watched)"
grep -q "received [1-9][0-9]* + lost 0 = " /tmp/watched || fail "balance: $(cat /tmp/watched)"

echo "== removal under a watcher"
evring watch tick --quiet >/tmp/watched 2>&1 &
watcher=$!
sleep 0.5
expect 0 "" evring remove tick
wait $watcher || fail "watch after a removal: $(cat /tmp/watched)"
grep -q "removed" /tmp/watched || fail "no word of the removal: $(cat /tmp/watched)"

echo "== permissions"
expect 1 "run as root" su nobody -s /bin/sh -c "evring add bar"
expect 0 "soft0" su nobody -s /bin/sh -c "evring list"

echo "== stress"
expect 0 '"balanced": true' evring stress --device kernel --seconds 1 --producers 4 --json
expect 0 '"balanced": true' evring stress --device kernel --seconds 1 --mode gated --json
expect 0 '"balanced": true' evring stress --device kernel --seconds 1 --churn --rings 2 --json
expect 1 '"balanced": false' \
  evring stress --device kernel --seconds 1 --mode gated --fault corrupt --json
evring stress --device kernel --seconds 600 >/tmp/stressed 2>&1 &
stress=$!
sleep 2
kill -INT $stress
wait $stress || fail "stress after an interrupt: $(cat /tmp/stressed)"
grep -q "balanced" /tmp/stressed || fail "stress: $(cat /tmp/stressed)"
evring remove soft0 || fail "remove soft0"
expect 0 "no rings" evring list
rmmod evring || fail "evring.ko does not unload"
echo "all fine"
