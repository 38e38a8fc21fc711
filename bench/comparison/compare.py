#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What bench/compare does once everything is built; see there and bench/README.md."""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from bars import all_bars
from cases import Field, make_plan
from figures import hold
from machine import describe
from machines import newest, side_by_side
from page import page
from readme import readme_table
from rounds import merge, run_rounds
from tables import report_lines, summarise


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/compare", add_help=False)
    parser.add_argument("--program", default="build/bin/evring_rig")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-fifo", action="store_true")
    parser.add_argument("--records", action="append", default=[])
    parser.add_argument("--from", dest="earlier")
    parser.add_argument("--readme")
    parser.add_argument("--machines", action="store_true")
    parser.add_argument("--json", default="build/compare.json")
    parser.add_argument("--html", default="build/compare.html")
    return parser.parse_args(arguments)


def listing_of(program):
    """What the build has and the machine is, as the program says."""
    ran = subprocess.run([program, "list"], capture_output=True, check=True, text=True)
    return json.loads(ran.stdout)


def field_of(report):
    return Field(report["contenders"], report["cpu_count"])


def report_of(rounds, axes, about):
    """The report: see bench/README.md, "The JSON". `about` says how the rounds came to be."""
    field = field_of(about)
    bars = [hold(bar, rounds) for bar in all_bars(field)]
    return about | {"bars": bars, "cases": summarise(rounds, axes), "rounds": rounds}


def measure(options):
    listing = listing_of(options.program)
    field = Field(listing["contenders"], len(listing["allowed_cpus"]))
    plan = make_plan(field, all_bars(field), options.quick, options.only)
    if not plan:
        raise ValueError(f"no case and no group matches '{options.only}'")
    begun = time.monotonic()
    rounds = run_rounds(
        plan,
        options.program,
        options.rounds or (3 if options.quick else 9),
        options.seed,
        not options.no_fifo,
        75 if options.quick else 600,
    )
    for path in options.records:
        merge(rounds, path)
    about = {
        "machine": describe(listing, not options.no_fifo)
        | {"command": " ".join(["bench/compare", *sys.argv[1:]])},
        "cpu_count": field.cpus,
        "seed": options.seed,
        "only": options.only,
        "elapsed_s": round(time.monotonic() - begun, 1),
        "contenders": listing["contenders"],
        "missing": listing["missing"],
    }
    axes = {case.id: asdict(case) for group in plan for case in group.cases}
    return report_of(rounds, axes, about)


def again(path):
    """The report of an earlier run, held against the bars of now."""
    with open(path, encoding="utf-8") as file:
        earlier = json.load(file)
    axes = {each["id"]: each["case"] for each in earlier["cases"]}
    about = {key: earlier[key] for key in earlier if key not in ("bars", "cases", "rounds")}
    return report_of(earlier["rounds"], axes, about)


def report_json(report):
    """One line for each record, so that a diff of two runs can be read."""

    def lines(value, depth):
        if depth == 0 or not isinstance(value, (dict, list)) or not value:
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict):
            each = (f"{json.dumps(key)}: {lines(item, depth - 1)}" for key, item in value.items())
            return "{\n" + ",\n".join(each) + "\n}"
        return "[\n" + ",\n".join(lines(item, depth - 1) for item in value) + "\n]"

    depth_of = {"rounds": 2}  # a record of a round is one level deeper than a bar or a case
    six_digits = lambda text: float(f"{float(text):.6g}")  # more than was measured
    report = json.loads(json.dumps(report), parse_float=six_digits)
    parts = (
        f"{json.dumps(key)}: {lines(value, depth_of.get(key, 1))}"
        for key, value in report.items()
    )
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(arguments):
    options = parse(arguments)
    if options.readme:
        print(readme_table(again(options.readme), options.readme))
        return 0
    if options.machines:
        print(side_by_side(newest(), field_of))
        return 0
    report = again(options.earlier) if options.earlier else measure(options)
    for line in report_lines(report):
        print(line)
    Path(options.html).write_text(page(report), encoding="utf-8")
    wrote = options.html
    if not options.earlier:
        Path(options.json).write_text(report_json(report), encoding="utf-8")
        wrote = f"{options.json} and {wrote}"
    print(f"\nwrote {wrote}\n")
    print(side_by_side({"this run": report} | newest(), field_of))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"compare: {error}", file=sys.stderr)
        sys.exit(1)
