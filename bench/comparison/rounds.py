# SPDX-License-Identifier: MIT
"""Rounds: each case in a fresh process, groups in shuffled order and the cases within a group
as well. A round is a dict of records by case id; figures of one round are paired."""

import json
import random
import re
import subprocess
from dataclasses import replace
import sys
import time

CASE_TIMEOUT_S = 10  # beside the case's duration
COUNTED_EVENTS = 32_768  # eight laps of a ring of 4,096
COUNTING_TIMEOUT_S = 60
THROUGHPUT_TIMEOUT_S = 3  # ends soon after its duration, or in a convoy of threads on one CPU


def failure(why):
    return {"failed": why, "exact": False}


def record_of(command, timeout_s):
    """The record that a command prints; of a failure one without a value."""
    try:
        ran = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return failure(f"no end within {timeout_s:.0f} s")
    except OSError as error:
        return failure(f"{command[0]}: {error.strerror}")
    try:
        record = json.loads(ran.stdout)
    except ValueError:
        return failure(f"exit status {ran.returncode}: {ran.stderr.decode(errors='replace')[:200]}")
    counted = re.search(rb"Collected : (\d+)", ran.stderr)
    return record | {"instructions": int(counted[1])} if counted else record


def count_instructions(program, case):
    """Instructions an event by callgrind: the same-thread loop for some events and for twice as
    many. What the two differ by has neither start-up nor set-up in it."""
    counting = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program]
    arguments = replace(case, loop="same-thread").arguments(fifo=False)
    once, twice = (
        record_of([*counting, *arguments, f"--events={count}"], COUNTING_TIMEOUT_S)
        for count in (COUNTED_EVENTS, 2 * COUNTED_EVENTS)
    )
    if not (once["exact"] and twice["exact"]):
        return once if not once["exact"] else twice
    each = (twice["instructions"] - once["instructions"]) / COUNTED_EVENTS
    return {"value": each, "unit": "instructions/event", "exact": True}


def run_case(program, case, fifo=True, timeout_s=None):
    """The record of a case, run by `program`."""
    if case.loop == "instructions":
        return count_instructions(program, case)
    if timeout_s is None:
        tail = THROUGHPUT_TIMEOUT_S if case.loop == "throughput" else CASE_TIMEOUT_S
        timeout_s = case.duration_ms / 1000 + tail
    return record_of([program, *case.arguments(fifo)], timeout_s)


def order_of(plan, number, late, shuffle):
    """The cases of round `number`, groups kept together; of a late one the bars' alone."""
    groups = [
        group
        for index, group in enumerate(plan)
        if group.runs_in(index, number) and not (late and group.share == "third")
    ]
    shuffle(groups)
    for group in groups:
        cases = list(group.cases)
        shuffle(cases)
        yield from cases


def run_rounds(plan, program, count, seed=1, fifo=True, time_limit_s=600, quiet=False):
    """All rounds, or as many as the time allows: none begins past `time_limit_s`, and a round
    that begins behind its share of it leaves out the groups that need not run in each."""
    shuffle = random.Random(seed).shuffle
    begun, rounds = time.monotonic(), []
    elapsed = lambda: time.monotonic() - begun
    for number in range(count):
        late = number > 0 and elapsed() * count > time_limit_s * number
        if number > 0 and elapsed() > time_limit_s:
            break
        records = {}
        for case in order_of(plan, number, late, shuffle):
            if elapsed() > time_limit_s:
                break
            case_begun = time.monotonic()
            record = run_case(program, case, fifo)
            records[case.id] = record | {"took_s": round(time.monotonic() - case_begun, 3)}
        rounds.append(records)
        if not quiet:
            behind = ", the bars' cases alone: behind time" if late else ""
            print(
                f"round {number + 1} of {count}: {len(records)} cases, {elapsed():.0f} s{behind}",
                file=sys.stderr,
            )
    return rounds


def merge(rounds, path):
    """Adds the rounds of a file, an array of {id: record}, to these, by their order."""
    with open(path, encoding="utf-8") as file:
        more = json.load(file)
    if not isinstance(more, list):
        raise ValueError(f"{path}: not an array of rounds")
    for index, records in enumerate(more):
        if index == len(rounds):
            rounds.append({})
        rounds[index].update(records)
