#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench/cliffs: that its program compiles and adds up, and that a planted cliff misses its bar."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WAYS_IN = (("publish_in_place, each", "loop"), ("reserve, payloads", "loop"), ("set, publish", "loop"))
WAYS_OUT = ("visit_payloads, each", "try_read, get")


def report(change=lambda record: None):
    """Of even costs, but for what `change` makes of a record."""
    records = []
    for level in ("-O2", "-O3"):
        for way_in, style in WAYS_IN:
            for way_out in WAYS_OUT:
                record = {"compiler": "g++", "level": level, "payload": 56, "in": way_in,
                          "style": style, "out": way_out, "in_cycles": 4.0, "out_cycles": 5.0,
                          "events_per_second": 1e8}
                change(record)
                records.append(record)
        alone = {"compiler": "g++", "level": level, "payload": 56, "in": "no ring", "style": "loop",
                 "out": "no ring", "in_cycles": 2.0, "out_cycles": 2.0}
        change(alone)
        records.append(alone)
    return {"machine": "none", "compilers": {"g++": "g++ 0"}, "rounds": 1, "records": records}


def shown(of):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(of, file)
        file.flush()
        return subprocess.run([ROOT / "bench/cliffs", "--from", file.name], check=True,
                              capture_output=True, text=True).stdout


class CliffsTest(unittest.TestCase):
    def test_even_costs_reach_every_bar(self):
        text = shown(report())
        self.assertNotIn("MISSED", text)
        self.assertEqual(text.count("reached"), 5)

    def test_says_where_the_payload_alone_is_as_steep(self):
        def change(record):
            if record["level"] == "-O3":
                record["in_cycles"] *= 3
        text = shown(report(change))
        self.assertIn("MISSED by 3 of 3, 3 of them with no ring as well", text)

    def test_each_planted_cliff_misses_its_bar(self):
        def planted(key, cycles, **where):
            def change(record):
                if record["in"] != "no ring" and all(
                        record[name] == value for name, value in where.items()):
                    record[key] = cycles
            return change

        for change, what in (
            (planted("in_cycles", 9.0, level="-O3"), "a way in: worst / best"),
            (planted("out_cycles", 11.0, level="-O2"), "a way out: worst / best"),
            (planted("in_cycles", 7.0, **{"in": "set, publish"}), "copied / in place, the same compiler and level, in "),
            (planted("out_cycles", 9.0, out="try_read, get"), "copied / in place, the same compiler and level, out"),
            (planted("in_cycles", 6.0, **{"in": "reserve, payloads"}), "reserve, payloads / best"),
        ):
            with self.subTest(what):
                missed = [line for line in shown(report(change)).splitlines() if "MISSED" in line]
                self.assertEqual(len(missed), 1, missed)
                self.assertTrue(missed[0].startswith(what), missed)

    def test_every_way_adds_up(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "ways"
            subprocess.run(["g++", "-std=c++20", "-O0", "-pthread", f"-I{ROOT}",
                            f"-I{ROOT / 'ring/include'}", "-o", program,
                            ROOT / "bench/ways/ways.cpp", os.environ["EVRING_LIBRARY"]], check=True)
            ran = subprocess.run([program, "1", "1"], check=True, capture_output=True, text=True)
        records = [json.loads(line) for line in ran.stdout.splitlines()]
        self.assertEqual(len({record["payload"] for record in records}), 7)
        ringed = [record for record in records if record["in"] != "no ring"]
        self.assertEqual(len(records) - len(ringed), 2 * 7)
        self.assertEqual(len(ringed), 6 * 13 * 6 + 12 * 4)
        self.assertTrue(all(record["events_per_second"] > 0 for record in ringed))


if __name__ == "__main__":
    unittest.main()
