# SPDX-License-Identifier: MIT
"""`evring stress --device local`: the sums hold as seen from outside, and each planted
fault is found."""
import os
import pathlib
import signal
import subprocess
import unittest

from command import EVRING, CommandTest

RING_KEYS = {"name", "offered", "published", "dropped", "lock_wait_ns", "lock_contended",
             "consumers"}
CONSUMER_KEYS = {"start", "received", "lost", "corrupt", "out_of_order", "overruns", "doorbells",
                 "ran_to_end"}


class Stress(CommandTest):
    def stress(self, *words, seconds="0.4"):
        return self.run_json("stress", "--seconds", seconds, "--json", *words)

    def check_sums(self, report, consumer_count):
        """Adds up once more what the report says."""
        self.assertIs(report["balanced"], True, report["problems"])
        for ring in report["rings"]:
            self.assertLessEqual(RING_KEYS, set(ring))
            self.assertGreater(ring["offered"], 0)
            self.assertEqual(ring["published"] + ring["dropped"], ring["offered"])
            ended = set()
            for consumer in ring["consumers"]:
                self.assertLessEqual(CONSUMER_KEYS, set(consumer))
                self.assertEqual((consumer["corrupt"], consumer["out_of_order"]), (0, 0))
                end = ring["published"] if consumer["ran_to_end"] else consumer["end"]
                self.assertEqual(consumer["received"] + consumer["lost"], end - consumer["start"])
                if consumer["ran_to_end"]:
                    ended.add(consumer["consumer"])
            self.assertEqual(len(ended), consumer_count)

    def test_overwrite(self):
        code, report = self.stress("--producers", "3", "--consumers", "2", "--rings", "2")
        self.assertEqual(code, 0)
        self.assertEqual([ring["name"] for ring in report["rings"]], ["stress-0", "stress-1"])
        self.check_sums(report, 2)

    def test_small_ring_loses_and_says_so(self):
        words = ("--slots", "16", "--read", "one", "--consumers", "2", "--batch", "16")
        code, report = self.stress(*words, "--fail-on-loss")
        self.assertEqual(code, 3)
        self.check_sums(report, 2)
        self.assertGreater(sum(c["lost"] for c in report["rings"][0]["consumers"]), 0)
        self.assertGreater(sum(c["overruns"] for c in report["rings"][0]["consumers"]), 0)

    def test_gated_loses_nothing(self):
        code, report = self.stress("--mode", "gated", "--slots", "64", "--fail-on-loss")
        self.assertEqual(code, 0)
        self.check_sums(report, 2)
        self.assertEqual(report["rings"][0]["dropped"], 0)

    def test_gated_drops_are_counted(self):
        code, report = self.stress("--mode", "gated", "--slots", "16", "--when-full-drop")
        self.assertEqual(code, 0)
        self.check_sums(report, 2)
        self.assertGreater(report["rings"][0]["dropped"], 0)

    def test_producers_share_a_ring_and_report_the_wait(self):
        code, report = self.stress("--producers", "4", seconds="1")
        self.assertEqual(code, 0)
        self.check_sums(report, 2)
        self.assertGreater(report["rings"][0]["lock_contended"], 0)
        self.assertGreater(report["rings"][0]["lock_wait_ns"], 0)

    def test_fewer_producers_than_rings(self):
        code, report = self.stress("--producers", "1", "--rings", "5", "--consumers", "1")
        self.assertEqual(code, 0)
        self.check_sums(report, 1)

    def test_churn(self):
        for mode in ("overwrite", "gated"):
            with self.subTest(mode):
                code, report = self.stress("--churn", "--consumers", "3", "--mode", mode,
                                           "--read", "mixed", seconds="1")
                self.assertEqual(code, 0)
                self.check_sums(report, 3)
                stays = report["rings"][0]["consumers"]
                self.assertTrue(any(not stay["ran_to_end"] for stay in stays))
                self.assertTrue(any(stay["start"] > 0 for stay in stays))

    def test_seed_is_kept_and_reported(self):
        self.assertEqual(self.stress("--seed", "0x2a")[1]["seed"], 42)
        self.assertNotEqual(self.stress()[1]["seed"], self.stress()[1]["seed"])

    def test_every_way_to_read_publish_wait_and_lay_out(self):
        ways = ([("--read", word) for word in ("burst", "one", "mixed")] +
                [("--publish", word) for word in ("batch", "one", "reserve")] +
                [("--strategy", word) for word in ("busy-spin", "yield", "adaptive", "park")] +
                [("--rung", word) for word in ("poll", "epoll", "spin")] +
                [("--format", "bare", "--slot-bytes", "32"), ("--format", "bare"),
                 ("--format", "timestamp", "--slot-bytes", "128"), ("--slot-bytes", "4096"),
                 ("--format", "packed"), ("--format", "packed", "--slot-bytes", "32"),
                 ("--format", "packed", "--mode", "gated", "--read", "mixed")])
        for way in ways:
            with self.subTest(way):
                code, report = self.stress(*way, seconds="0.1")
                self.assertEqual(code, 0)
                self.check_sums(report, 2)

    def test_huge_pages_or_a_word(self):
        done = self.run_it("stress", "--hugepages", "--slots", "65536", "--seconds", "0.2", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open("/proc/meminfo", encoding="ascii") as lines:
            free = next(int(line.split()[1]) for line in lines if line.startswith("HugePages_Free"))
        if free == 0:
            self.assertIn("no huge pages are free", done.stderr)
        elif free >= 16:
            self.assertNotIn("no huge pages", done.stderr)

    def test_sequences_wrap(self):
        for first in (2**32 - 1000, 2**63 - 1000, 2**64 - 1000):
            with self.subTest(first):
                code, report = self.stress("--first-sequence", str(first), "--mode", "gated")
                self.assertEqual(code, 0)
                self.assertGreater(report["rings"][0]["published"], 1000)
                self.check_sums(report, 2)

    def test_each_planted_fault_is_found(self):
        for fault, part in (("corrupt", "corrupt"), ("skip", "out_of_order"),
                            ("reorder", "out_of_order"), ("miscount", "offered"),
                            ("forget", "received + lost")):
            with self.subTest(fault):
                done = self.run_it("stress", "--seconds", "0.3", "--mode", "gated", "--fault",
                                   fault, "--json")
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn('"balanced": false', done.stdout)
                self.assertIn(part, done.stderr)

    def test_consumers_are_pollers(self):
        """What the poller counts is there: it parked, and was woken by doorbells."""
        code, report = self.stress("--strategy", "park", "--consumers", "1", "--slots", "64",
                                   "--mode", "gated", "--rung", "poll")
        self.assertEqual(code, 0)
        self.assertRegex(report["rung"], r"^(io_uring poll|epoll) \(")
        self.assertGreater(report["rings"][0]["consumers"][0]["doorbells"], 0)

    def test_the_program_is_the_subcommand(self):
        beside = os.path.join(os.path.dirname(EVRING), "evring-stress")
        done = subprocess.run([beside, "--help"], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, self.run_it("stress", "--help").stdout)

    def test_interrupt_ends_early_and_balanced(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            process = self.start("stress", "--seconds", "600")
            self.await_consumers(process, 1)
            code, out, err = self.finish(process, how)
            self.assertEqual(code, 0, err)
            self.assertIn("(interrupted)", out)
            self.assertIn("balanced", out)

    def test_a_program_of_the_callers_folder_is_not_run(self):
        """Where /proc does not say where `evring` lies, ./evring-stress was run."""
        trap = pathlib.Path(self.folder.name) / "evring-stress"
        trap.write_text("#!/bin/sh\necho trapped\n")
        trap.chmod(0o755)
        script = 'mount -t tmpfs none /proc || exit 77; cd "$1" && exec "$2" stress --version'
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", self.folder.name,
                               EVRING], env=dict(self.env, PATH="/usr/sbin:/usr/bin:/sbin:/bin"),
                              capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 77 or "unshare" in done.stderr:
            self.skipTest(done.stderr)
        self.assertNotIn("trapped", done.stdout)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("install it beside evring", done.stderr)


if __name__ == "__main__":
    unittest.main()
