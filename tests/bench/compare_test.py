#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench/comparison: that every bar can fail, that the plan runs what the bars need, that a case
which fails has no figure, and what the report must not hide. Argument: the program evring_rig."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/comparison"))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import compare
from bars import all_bars
from machines import newest, side_by_side
from cases import Case, Field, Group, make_plan
from figures import Bar, Figure, figure, hold, standing
from page import page
from rounds import merge, run_case, run_rounds
from tables import report_lines, tables_of

RIG = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build/bin/evring_rig")


def listing():
    return compare.listing_of(RIG)


def record(value, exact=True):
    return {"value": value, "unit": "events/s", "exact": exact}


def rounds_of(**figures):
    """rounds_of(a=[1, 2], b=[3, 4]): two rounds."""
    count = len(next(iter(figures.values())))
    return [{id_: record(values[i]) for id_, values in figures.items()} for i in range(count)]


A_OVER_B = Bar(1, "a / b", ">= 1", {"a": figure("a")}, {"b": figure("b")})


class Planted(dict):
    """A record whose every figure is `value`, but for what figures are divided by."""

    def get(self, key, default=None):
        if key in ("spin", "park"):
            return Planted(value=1)
        if key == "adaptive":
            return Planted(value=self["value"])
        if key in ("one_line_ns", "two_line_ns", "published"):
            return 1
        return True if key == "exact" else self["value"]


def planted(bar, value, rounds=9):
    """Rounds in which what is ours has that value, and what it is compared with has 1."""
    theirs = {id_ for each in bar.theirs.values() for id_ in each.ids}
    ours = {id_ for each in bar.ours.values() for id_ in each.ids} - theirs
    records = {id_: Planted(value=1) for id_ in theirs}
    records |= {id_: Planted(value=0 if "/no-queue/" in id_ else value) for id_ in ours}
    return [dict(records) for _ in range(rounds)], ours


class EveryBar(unittest.TestCase):
    """Of each bar of the table: reached, and then not."""

    def setUp(self):
        self.bars = all_bars(Field(listing()["contenders"], 16))

    def values(self, bar):
        """What reaches a bar, and what misses it."""
        limit = float(bar.bar[3:])
        far = 1000 * max(limit, 1)
        return (limit / 1000, far) if bar.smaller else (far, limit / 1000)

    def test_is_reached_or_missed_as_its_figure_says(self):
        for bar in self.bars:
            good, bad = self.values(bar)
            with self.subTest(bar.name):
                self.assertEqual(hold(bar, planted(bar, good)[0])["status"], "reached")
                self.assertEqual(hold(bar, planted(bar, bad)[0])["status"], "missed")

    def test_fails_by_one_inexact_round_of_ours(self):
        for bar in self.bars:
            good, _ = self.values(bar)
            rounds, ours = planted(bar, good)
            for id_ in sorted(ours):
                rounds[4] = rounds[4] | {id_: record(good, exact=False)}
                with self.subTest(f"{bar.name}: {id_}"):
                    self.assertEqual(hold(bar, rounds)["status"], "inexact")

    def test_needs_more_than_one_good_round(self):
        for bar in self.bars:
            good, _ = self.values(bar)
            rounds, _ = planted(bar, good)
            theirs = {id_ for each in bar.theirs.values() for id_ in each.ids}
            for records in rounds[1:]:
                records |= {id_: {"failed": "planted", "exact": False} for id_ in theirs}
            if theirs:
                with self.subTest(bar.name):
                    self.assertEqual(hold(bar, rounds)["status"], "not measured")

    def test_is_there_under_each_number(self):
        self.assertEqual({bar.number for bar in self.bars}, set(range(1, 23)))


class Holding(unittest.TestCase):
    def test_takes_the_median_of_ratios_within_rounds(self):
        result = hold(A_OVER_B, rounds_of(a=[10, 30, 20], b=[10, 10, 10]))
        self.assertEqual((result["value"], result["spread"]["rounds"]), (2, 3))
        self.assertEqual((result["spread"]["p10"], result["spread"]["p90"]), (1, 3))

    def test_has_no_value_without_figures(self):
        self.assertIsNone(hold(A_OVER_B, [{"a": record(1)}])["value"])
        self.assertEqual(hold(A_OVER_B, [{}])["status"], "not measured")

    def test_chooses_who_stands_best_over_all_rounds(self):
        rounds = rounds_of(steady=[10, 10, 10], wild=[40, 1, 1])
        candidates = {name: figure(name) for name in ("wild", "steady", "absent")}
        self.assertEqual(standing(candidates, rounds, smaller=False), "steady")
        self.assertEqual(standing(candidates, rounds, smaller=True), "wild")

    def test_chooses_within_rounds_where_the_machine_has_phases(self):
        rounds = rounds_of(usual=[40, 150, 100, 40, 150], slower=[30, 110, 110, 30, 110])
        candidates = {name: figure(name) for name in ("slower", "usual")}
        self.assertEqual(standing(candidates, rounds, smaller=False), "usual")
        self.assertEqual(standing(candidates, rounds, smaller=True), "slower")

    def test_chooses_among_zeros(self):
        self.assertEqual(standing({"a": figure("a")}, rounds_of(a=[0]), smaller=True), "a")

    def test_says_what_keeps_it_only_when_missed(self):
        bar = Bar(1, "", ">= 2", {"a": figure("a")}, note=lambda rounds: "the machine")
        self.assertEqual(hold(bar, rounds_of(a=[1]))["limit"], "the machine")
        self.assertNotIn("limit", hold(bar, rounds_of(a=[2])))

    def test_does_not_count_what_has_more_threads_than_cpus(self):
        bar = Bar(6, "", ">= 2", {"a": figure("a")}, crowded=True)
        self.assertEqual(hold(bar, rounds_of(a=[1]))["status"], "crowded")

    def test_has_none_of_a_ratio_over_zero(self):
        nothing = figure("a") / Figure((), lambda records: 0)
        self.assertIsNone(nothing.of(rounds_of(a=[1])[0]))


def plan_of(field, **how):
    return make_plan(field, all_bars(field), **how)


class Plan(unittest.TestCase):
    def test_runs_in_every_round_what_the_bars_need(self):
        field = Field(listing()["contenders"], 2)
        for quick in (True, False):
            plan = plan_of(field, quick=quick)
            ran = {case.id for group in plan if group.share != "third" for case in group.cases}
            for bar in all_bars(field):
                missing = {id_ for each in bar.ours.values() for id_ in each.ids} - ran
                if bar.number in (13, 14, 22):  # measured in a guest
                    continue
                self.assertFalse(missing, bar.name)
                theirs = [set(each.ids) <= ran for each in bar.theirs.values()]
                self.assertTrue(any(theirs) or not bar.theirs, bar.name)

    def test_names_no_case_twice_and_only_loops_that_exist(self):
        known = listing()
        loops = {each["name"] for each in known["loops"]} | {"instructions"}
        loops |= {loop for each in known["contenders"] for loop in each["loops"]}
        cases = [case for group in plan_of(Field(known["contenders"], 2)) for case in group.cases]
        self.assertEqual(len({case.id for case in cases}), len(cases))
        self.assertLessEqual({case.loop for case in cases}, loops)

    def test_keeps_only_what_is_asked_for(self):
        field = Field(listing()["contenders"], 2)
        for group in plan_of(field, only="evring-group/16B"):
            self.assertEqual({case.contender for case in group.cases}, {"evring-group"})
        named = plan_of(field, quick=True, only="one thread")
        self.assertEqual({group.name for group in named}, {"one thread"})

    def test_runs_wide_groups_in_a_third_of_the_rounds(self):
        for index in range(3):
            ran = [Group("wide", "third").runs_in(index, number) for number in range(9)]
            self.assertEqual(sum(ran), 3)
        self.assertEqual([Group("once", "once").runs_in(5, n) for n in (0, 1)], [True, False])


class Rounds(unittest.TestCase):
    def program(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "program"
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o700)
        return str(path)

    def test_keep_what_a_case_says(self):
        program = self.program("""echo '{"value": 3, "exact": true}'""")
        rounds = run_rounds([Group("one", cases=[Case("parked-wake")])], program, 2, quiet=True)
        self.assertEqual([records["parked-wake"]["value"] for records in rounds], [3, 3])

    def test_have_no_figure_of_a_case_that_fails_or_hangs(self):
        failed = run_case(self.program("echo bad >&2; exit 3"), Case("parked-wake"))
        self.assertEqual(failed, {"failed": "exit status 3: bad\n", "exact": False})
        hung = run_case(self.program("exec sleep 60"), Case("parked-wake"), timeout_s=1)
        self.assertEqual(hung["failed"], "no end within 1 s")

    @unittest.skipUnless(shutil.which("valgrind"), "valgrind counts instructions")
    def test_count_instructions_an_event(self):
        counted = run_case(RIG, Case("instructions", "no-queue"))
        self.assertTrue(counted["exact"], counted)
        self.assertTrue(10 < counted["value"] < 100, counted)  # a few dozen without a queue

    def test_take_records_from_elsewhere(self):
        with tempfile.NamedTemporaryFile("w+", suffix=".json") as file:
            json.dump([{"x": record(1)}, {"x": record(2)}], file)
            file.flush()
            rounds = rounds_of(a=[5])
            merge(rounds, file.name)
        self.assertEqual((rounds[0]["a"]["value"], rounds[1]["x"]["value"]), (5, 2))


def made_up():
    """evring at 100 and 50 M/s, boost at 80; boost's other case never adds up."""
    cases = [Case(contender=who, burst_count=n) for who in ("evring-gated", "boost-spsc") for n in (32, 1)]
    cases.append(Case(contender="boost-spsc", consumer_count=2))
    values = (100e6, 50e6, 80e6, 70e6, 40e6)
    records = {case.id: record(value) for case, value in zip(cases, values)}
    records[cases[3].id]["exact"] = False
    records["guest/<x>"] = record(1e6)
    names = ("evring-gated", "boost-spsc")
    contenders = [
        {"name": name, "origin": "", "delivery": "each", "payload_bytes": 56, "loops": []}
        for name in names
    ]
    about = {"machine": {"cpu": "made up", "kernel": "6.1"}, "cpu_count": 2, "seed": 7, "only": ""}
    about |= {"elapsed_s": 12, "contenders": contenders, "missing": []}
    return compare.report_of([records] * 3, {case.id: case.__dict__ for case in cases}, about)


class Report(unittest.TestCase):
    def test_sorts_cases_into_tables_best_first(self):
        tables, others = tables_of(made_up())
        self.assertEqual(tables[0].columns, ["x1", "x32"])
        self.assertEqual([row.name for row in tables[0].rows], ["evring-gated", "boost-spsc"])
        self.assertEqual([cell.text for cell in tables[0].rows[1].cells], ["-", "80"])
        self.assertIn("(M/s, medians of 0 to 3 rounds)", tables[0].title)
        self.assertEqual([each["id"] for each in others], ["guest/<x>"])

    def test_keeps_more_threads_than_cpus_apart(self):
        tables, _ = tables_of(made_up())
        titles = [table.title for table in tables if "More threads than CPUs" in table.title]
        self.assertEqual(len(titles), 1)
        self.assertNotIn("to 2", [column for table in tables[:-1] for column in table.columns])

    def test_says_missed_and_not_measured_and_counts_them(self):
        lines = "\n".join(report_lines(made_up()))
        self.assertIn("gated 56 B one at a time / bursts of 32", lines)
        self.assertIn("0.500", lines)
        self.assertRegex(lines, r"\n\d+ of \d+ bars reached, \d+ missed, \d+ not measured")

    def test_can_be_held_again_from_its_json(self):
        report = made_up()
        with tempfile.NamedTemporaryFile("w+", suffix=".json") as file:
            file.write(compare.report_json(report))
            file.flush()
            self.assertEqual(compare.again(file.name), report)
            with mock.patch("os.sched_getaffinity", return_value=set(range(16))):
                self.assertEqual(compare.again(file.name), report)  # as on its machine

    def test_is_a_page_that_needs_nothing_beside_itself(self):
        html = page(made_up())
        for outside in ("http:", "https:", "src=", "<link", "<script", "url("):
            self.assertNotIn(outside, html)
        self.assertIn("guest/&lt;x&gt;", html)
        figures = [each for each in made_up()["cases"] if each["case"] and each["rounds"]]
        self.assertEqual(html.count(", n=3</small>"), len(figures))


class Machines(unittest.TestCase):
    def test_stand_side_by_side_with_their_share_of_the_best_peer(self):
        one = made_up()
        one["contenders"][1] |= {"origin": "packaged", "loops": ["throughput"]}
        text = side_by_side({"a": one, "b": made_up()}, compare.field_of)
        self.assertIn("| evring-gated, 56 B x32 | 100 M/s (1.25 boost-spsc) | 100 M/s |", text)
        self.assertEqual(text.count("made up"), 2)

    def test_of_the_tree_have_a_file_each(self):
        for name, report in newest().items():
            family, model = re.search(r"family (\d+) model (\d+)", report["machine"]["cpu"]).groups()
            self.assertTrue(name.endswith(f"-{family}-{model}"), name)


class Readme(unittest.TestCase):
    def test_has_the_table_of_the_run_in_the_tree(self):
        for path in sorted((ROOT / "bench/results").glob("*.json")):
            made = subprocess.run(
                [ROOT / "bench/comparison/compare.py", "--readme", path.relative_to(ROOT)],
                cwd=ROOT, capture_output=True, text=True, check=True,
            ).stdout
            self.assertIn(made, (ROOT / "README.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    os.chdir(ROOT)
    unittest.main()
