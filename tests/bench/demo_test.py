#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The last screen of poller/demo: each guarantee holds by good records, and fails by one wrong
number in them, or where a record is missing."""

import copy
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "bench/demo/table.py"


def stress(consumers=2):
    """What `evring stress --json` says of one ring."""
    each = {"start": 0, "end": 90, "received": 60, "lost": 30, "corrupt": 0, "out_of_order": 0}
    ring = {"name": "r", "offered": 100, "published": 90, "dropped": 10}
    return {"balanced": True, "rings": [ring | {"consumers": [dict(each) for _ in range(consumers)]}]}


def gated():
    record = stress()
    for each in record["rings"][0]["consumers"]:
        each |= {"received": 90, "lost": 0}
    return record


def stream(ring, other):
    results = [{"name": name, "rounds": 9, "median": rate}
               for name, rate in (("stream", ring), ("stream-list", other))]
    return {"cores": [{"results": results}]}


def calls():
    record = stress(1)
    record["rings"][0]["consumers"][0]["received"] = 1_000_000
    return record


def quiet(cpu_ticks):
    stat = "7 (a name) S " + "0 " * 10 + "{} 0 0 0"
    consumer = {"doorbells": 20, "received": 40}
    return {
        "quiet/stat.json": {"seconds": 1.0, "rings": [{"consumers": [consumer]}]},
        "quiet/before": stat.format(5),
        "quiet/after": stat.format(5 + cpu_ticks),
    }


def balance(count):
    return {"start": 0, "cursor": count, "received": count, "lost": 0}


def good():
    """Records in which every guarantee holds, by part and file."""
    here = {
        "stream-1.json": stream(30, 1), "stream-32.json": stream(90, 2), "stress.json": stress(),
        "gated.json": gated(), "calls.json": calls(),
        "calls.strace": "100.00    0.01          16       881        35 total\n",
    }
    guest = {
        "stress.json": stress(),
        "stat.json": {"rings": [{"name": "timer0", "head": 40}, {"name": "edu0", "head": 9}]},
        "interrupts.json": [{"ring": "timer0", "gone": "removed"},
                            {"ring": "timer0", "balance": balance(50)},
                            {"ring": "edu0", "balance": balance(9)}],
        "race.json": [{"id": "ring", "value": 3e5, "exact": True},
                      {"id": "list", "value": 3e4, "exact": True, "corruptions": 0},
                      {"id": "unlocked", "value": 1e4, "exact": False, "corruptions": 7}],
    }  # fmt: skip
    return {"here": here | quiet(2), "guest": guest | quiet(2)}


def as_text(name, record):
    if isinstance(record, str):
        return record
    if name in ("interrupts.json", "race.json"):
        return "".join(json.dumps(line) + "\n" for line in record)
    return json.dumps(record)


def run(records, *options):
    with tempfile.TemporaryDirectory() as folder:
        for part, files in records.items():
            for name, record in files.items():
                path = Path(folder) / part / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(as_text(name, record), encoding="utf-8")
        command = [sys.executable, TABLE, *options, folder, *records]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def consumer(records, part, name):
    return records[part][name]["rings"][0]["consumers"][0]


# The guarantee that fails, and what makes it: one wrong number each.
FAULTS = (
    ("every event whole", "here", lambda r: consumer(r, "here", "stress.json").update(corrupt=1)),
    ("every event whole", "here", lambda r: consumer(r, "here", "gated.json").update(out_of_order=1)),
    ("every event whole", "guest", lambda r: consumer(r, "guest", "stress.json").update(corrupt=1)),
    ("every loss counted", "here", lambda r: consumer(r, "here", "stress.json").update(lost=29)),
    ("every loss counted", "here", lambda r: r["here"]["stress.json"].update(balanced=False)),
    ("every loss counted", "guest", lambda r: consumer(r, "guest", "stress.json").update(received=61)),
    ("every offer counted", "here", lambda r: r["here"]["stress.json"]["rings"][0].update(dropped=9)),
    ("a gated ring", "here", lambda r: consumer(r, "here", "gated.json").update(lost=1)),
    ("no system call", "here", lambda r: consumer(r, "here", "calls.json").update(received=800_000)),
    ("an idle consumer", "here", lambda r: r["here"].update(quiet(80))),
    ("an idle consumer", "guest", lambda r: consumer(r, "guest", "quiet/stat.json").update(doorbells=0)),
    ("events of interrupts", "guest", lambda r: r["guest"]["interrupts.json"][1]["balance"].update(received=49)),
    ("events of interrupts", "guest", lambda r: r["guest"]["stat.json"]["rings"][1].update(head=10)),
    ("ring and list", "guest", lambda r: r["guest"]["race.json"][0].update(exact=False)),
    ("the list without", "guest", lambda r: r["guest"]["race.json"][2].update(corruptions=0)),
    ("the list without", "guest", lambda r: r["guest"]["race.json"][1].update(corruptions=1)),
)  # fmt: skip


class Table(unittest.TestCase):
    def failed(self, records):
        done = run(records)
        lines = [line.split("FAILED")[1].strip() for line in done.stdout.splitlines()
                 if line.lstrip().startswith("FAILED")]
        self.assertEqual(done.returncode, 1 if lines else 0, done.stderr)
        return lines

    def test_holds_by_good_records(self):
        self.assertEqual(self.failed(good()), [])

    def test_shows_how_many_times_the_list_the_ring_is(self):
        out = run(good()).stdout
        for ratio in ("30.0 x", "45.0 x", "10.0 x"):
            self.assertIn(ratio, out)

    def test_fails_by_one_wrong_number(self):
        for guarantee, part, plant in FAULTS:
            records = copy.deepcopy(good())
            plant(records)
            with self.subTest(f"{part}: {guarantee}"):
                found = self.failed({part: records[part]})
                self.assertEqual([line[: len(guarantee)] for line in found], [guarantee])

    def test_fails_where_a_record_is_missing(self):
        for part, files in good().items():
            for name in files:
                records = good()
                del records[part][name]
                with self.subTest(f"{part}/{name}"):
                    self.assertNotEqual(self.failed(records), [])

    def test_passes_over_system_calls_where_nobody_may_trace(self):
        records = good()
        records["here"]["calls.skipped"] = "strace may not trace here\n"
        self.assertEqual(self.failed(records), [])
        self.assertIn("skipped", run(records).stdout)

    def test_is_json_too(self):
        table = json.loads(run(good(), "--json").stdout)
        self.assertTrue(table["holds"])
        self.assertEqual(len(table["rows"]), 3)


if __name__ == "__main__":
    unittest.main()
