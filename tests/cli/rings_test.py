# SPDX-License-Identifier: MIT
"""Named local rings from end to end: add, inject, list, watch, stat; and doctor, bench."""
import json
import os
import resource
import signal
import subprocess
import sys
import time
import unittest

from command import EVRING, MODULE_LOADED, CommandTest


def lines_of(out):
    return [json.loads(line) for line in out.splitlines()]


class LocalRings(CommandTest):
    def inject(self, name, *words, text=None):
        """An injector that has standard input open; with `text`, all of it is written."""
        process = self.start("inject", "--local", name, *words, stdin=subprocess.PIPE)
        self.await_local(name)
        if text is not None:
            process.stdin.write(text)
            process.stdin.flush()
        return process

    def inject_lossy(self):
        """local:lossy, which has lost the first 92 of 100 events for whoever begins at 0."""
        self.inject("lossy", "--slots", "8", "--count", "100", "--linger", "60")
        deadline = time.monotonic() + 30
        published = 0
        while published < 100 and time.monotonic() < deadline:
            published = json.loads(self.run_it("list", "--json").stdout)["local"][0]["published"]

    def test_lines_come_out_as_they_went_in(self):
        injector = self.inject("lines", "--type", "7", "--wait-consumers", "1", "--linger", "60",
                               text="hello\nring\n")
        watcher = self.start("watch", "local:lines", "--start", "oldest", "--count", "2", "--json")
        code, out, err = self.finish(watcher)
        self.assertEqual(code, 0, err)
        events = lines_of(out)
        self.assertEqual([bytes.fromhex(event["payload"]) for event in events[:2]],
                         [b"hello", b"ring"])
        self.assertEqual([event["sequence"] for event in events[:2]], [0, 1])
        self.assertEqual(events[0]["type"], 7)
        self.assertEqual(events[-1]["balance"]["received"], 2)
        self.assertIs(events[-1]["balance"]["balanced"], True)
        code, out, _ = self.interrupt(injector)
        self.assertEqual(code, 0)
        self.assertIn("local:lines: offered 2, published 2, dropped 0", out)

    def test_losses_are_reported_where_they_happened(self):
        self.inject_lossy()
        words = ("watch", "local:lossy", "--start", "0", "--count", "8")
        done = self.run_it(*words, "--json", "--fail-on-loss")
        self.assertEqual(done.returncode, 3, done.stderr)
        events = lines_of(done.stdout)
        self.assertEqual(events[0], {"ring": "local:lossy", "lost": 92, "cursor": 92})
        self.assertEqual([event["sequence"] for event in events[1:9]], list(range(92, 100)))
        balance = events[-1]["balance"]
        self.assertEqual((balance["received"], balance["lost"], balance["overruns"]), (8, 92, 1))
        text = self.run_it(*words)
        self.assertEqual(text.returncode, 0)
        self.assertIn("lost 92 events, goes on at 92", text.stdout)

    def test_a_reader_that_left_hides_no_loss(self):
        """The verdict was skipped with what could not be printed: exit code 0."""
        self.inject_lossy()
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer) as closed:
            done = subprocess.run([EVRING, "watch", "local:lossy", "--start", "0", "--count", "8",
                                   "--fail-on-loss"], env=self.env, stdout=closed, text=True,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (3, ""))

    def test_interrupt_prints_the_balance(self):
        self.start("add", "--local", "ticks", "--rate", "1000", "--batch", "4")
        self.await_local("ticks")
        watcher = self.start("watch", "local:ticks", "--json")
        self.await_consumers(watcher, 1)
        code, out, err = self.interrupt(watcher)
        self.assertEqual(code, 0, err)
        lines = lines_of(out)
        balance = lines[-1]["balance"]
        events = [line for line in lines if "sequence" in line]
        self.assertGreater(len(events), 0)
        self.assertEqual(balance["received"], len(events))
        self.assertEqual(balance["received"] + balance["lost"],
                         balance["cursor"] - balance["start"])

    def test_watch_into_head_is_quiet(self):
        self.start("add", "--local", "ticks", "--rate", "1000")
        self.await_local("ticks")
        watcher = self.start("watch", "local:ticks")
        self.assertIn("local:ticks", watcher.stdout.readline())
        watcher.stdout.close()
        self.assertEqual(watcher.wait(timeout=30), 0)
        self.assertEqual(watcher.stderr.read(), "")

    def test_the_owner_going_ends_the_watch(self):
        owner = self.start("add", "--local", "short")
        self.await_local("short")
        watcher = self.start("watch", "local:short")
        self.await_consumers(watcher)
        code, out, _ = self.interrupt(owner)
        self.assertEqual(code, 0)
        self.assertIn("offered 0, published 0, dropped 0", out)
        code, out, _ = self.finish(watcher)
        self.assertEqual(code, 0)
        self.assertIn("closed", out)

    def test_the_name_of_a_living_ring_is_taken(self):
        self.start("add", "--local", "mine")
        self.await_local("mine")
        self.check_error(self.run_it("add", "--local", "mine"), 1, "local ring 'mine'",
                         "end the process that serves it")

    def test_stat_shows_rate_lag_and_loss_of_each(self):
        self.start("add", "--local", "ticks", "--rate", "500", "--batch", "2", "--slots", "65536")
        self.await_local("ticks")
        watcher = self.start("watch", "local:ticks", "--quiet")
        self.await_consumers(watcher, 1)
        done = self.run_it("stat", "local:ticks", "--count", "2", "--interval", "0.5", "--json")
        self.assertEqual(done.returncode, 0)
        before, now = lines_of(done.stdout)
        (earlier,), (ring,) = before["rings"], now["rings"]
        # However slowly a busy machine lets them go.
        self.assertAlmostEqual(ring["published_hz"] * now["seconds"],
                               ring["published"] - earlier["published"], places=3)
        consumer = ring["consumers"][0]
        self.assertEqual((consumer["who"], consumer["pid"]), ("evring watch", watcher.pid))
        self.assertGreater(consumer["received"], 0)
        self.assertAlmostEqual(consumer["rate_hz"] * now["seconds"],
                               consumer["received"] - earlier["consumers"][0]["received"], places=3)
        self.assertEqual(consumer["lost"], 0)
        self.assertLessEqual(consumer["lag"], ring["slot_count"])
        watcher.kill()
        watcher.wait()
        _, report = self.run_json("stat", "local:ticks", "--interval", "0.1", "--json")
        self.assertEqual(report["rings"][0]["consumers"], [])
        self.assertIn("local:ticks", self.run_it("stat", "--interval", "0.1").stdout)

    def test_top_goes_on_until_interrupted(self):
        self.start("add", "--local", "ticks", "--rate", "100")
        self.await_local("ticks")
        top = self.start("top", "--interval", "0.1")
        shown = 0
        for line in top.stdout:
            shown += "RING / CONSUMER" in line
            if shown == 2:
                break
        code, _, _ = self.interrupt(top)
        self.assertEqual((code, shown), (0, 2))

    def test_stopped_owners_hold_up_the_list_once(self):
        """Each was asked for two seconds, one after the other: 40 of them for 80 s."""
        count = 40
        owners = [self.start("add", "--local", f"s{i}") for i in range(count)]
        for i in range(count):
            self.await_local(f"s{i}")
        self.start("add", "--local", "well")
        self.await_local("well")
        for owner in owners:
            owner.send_signal(signal.SIGSTOP)
        done = subprocess.run([EVRING, "list", "--local", "--json"], env=self.env, text=True,
                              capture_output=True, timeout=count, check=False)
        self.assertEqual([ring["name"] for ring in json.loads(done.stdout)["local"]],
                         ["local:well"])
        for i in range(count):
            self.assertIn(f"local ring 's{i}': its owner does not answer", done.stderr)

    def test_a_ring_that_is_served_takes_events_from_any_terminal(self):
        """`add --local` alone made a ring that nobody could inject into."""
        owner = self.start("add", "--local", "open")
        self.await_local("open")
        watcher = self.start("watch", "local:open", "--start", "oldest", "--count", "3", "--json")
        for text, count in (("hello", 2), ("ring", 1)):
            done = self.run_it("inject", "local:open", "--payload", text, "--count", str(count),
                               "--type", "5")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(done.stdout, f"local:open: offered {count}, published {count}, dropped 0\n")
        code, out, err = self.finish(watcher)
        self.assertEqual(code, 0, err)
        events = lines_of(out)[:3]
        self.assertEqual([bytes.fromhex(event["payload"]) for event in events],
                         [b"hello", b"hello", b"ring"])
        self.assertEqual([event["type"] for event in events], [5, 5, 5])
        code, out, _ = self.interrupt(owner)
        self.assertEqual(code, 0)
        self.assertIn("offered 3, published 3, dropped 0", out)

    def test_a_long_line_is_refused_or_cut(self):
        words = ("inject", "--local", "long", "--payload", "x" * 50)
        self.check_error(self.run_it(*words), 1, "50 bytes do not fit in a payload of 40",
                         "--truncate")
        self.assertEqual(self.run_it(*words, "--truncate").returncode, 0)


class Machine(CommandTest):
    def doctor(self, *words):
        """Exit code, JSON, and the checks by name."""
        code, report = self.run_json("doctor", "--json", *words)
        return code, report, {check["name"]: check for check in report["checks"]}

    def test_doctor(self):
        code, report, checks = self.doctor()
        self.assertLessEqual({"module", "control node", "io_uring", "huge pages", "allowed CPUs",
                              "memlock bytes", "rtprio", "membarrier", "/proc", "runtime folder"},
                             set(checks))
        for check in report["checks"]:
            self.assertIn(check["state"], ("good", "limited", "missing"))
            self.assertNotEqual(check["found"], "")
            self.assertEqual(check["state"] == "good", check["remedy"] == "", check)
        self.assertIn(report["rungs"]["local"], ("io_uring poll", "epoll"))
        text = self.run_it("doctor")
        self.assertEqual(text.returncode, code)
        self.assertIn(f"kernel {report['kernel']}", text.stdout)

    @unittest.skipIf(MODULE_LOADED, "the module is loaded")
    def test_doctor_without_module_promises_no_doorbell_of_devices(self):
        code, report, checks = self.doctor()
        self.assertEqual(checks["module"]["state"], "missing")
        self.assertEqual(code, 1, "devices do not work")
        self.assertIsNone(report["rungs"]["device"])
        self.assertNotIn("devices by", self.run_it("doctor").stdout)

    def test_doctor_of_local_rings_is_content_without_module(self):
        code, _, checks = self.doctor("--local")
        self.assertNotIn("module", checks)
        states = {check["state"] for check in checks.values()}
        self.assertEqual(code, 1 if "missing" in states else 0)

    def test_doctor_tries_what_it_could_read_of(self):
        """Root gets SCHED_FIFO whatever the limit says."""
        asked = ("import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))")
        granted = subprocess.run([sys.executable, "-c", asked], capture_output=True,
                                 check=False).returncode == 0
        self.assertEqual(self.doctor()[2]["rtprio"]["state"], "good" if granted else "limited")

    def test_doctor_goes_on_where_a_check_cannot_be_made(self):
        """The first that threw ended it: no report at all."""
        def few_files():
            resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))
        done = self.run_it("doctor", "--local", "--json", preexec_fn=few_files)
        self.assertEqual(done.returncode, 1, done.stderr)
        checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
        self.assertEqual(checks["huge pages"]["state"], "missing", checks)
        self.assertIn("runtime folder", checks)

    def test_doctor_refuses_a_folder_of_others(self):
        elsewhere = os.path.join(self.folder.name, "elsewhere")
        os.mkdir(elsewhere)
        evring = os.path.join(self.folder.name, "evring")
        os.symlink(elsewhere, evring)
        code, _, checks = self.doctor("--local")
        self.assertEqual((code, checks["runtime folder"]["state"]), (1, "missing"), "a link")
        os.remove(evring)
        os.mkdir(evring, 0o777)
        os.chmod(evring, 0o777)
        code, _, checks = self.doctor("--local")
        self.assertEqual((code, checks["runtime folder"]["state"]), (1, "missing"), "open to all")

    @unittest.skipUnless("EVRING_RIG" in os.environ, "built without the benchmarks")
    def test_bench_names_machine_and_spread_of_each_core(self):
        code, report = self.run_json("bench", "--rounds", "3", "--round-seconds", "0.01", "--json")
        self.assertEqual(code, 0)
        self.assertLessEqual({"cpu", "kernel", "allowed_cpus", "command"}, set(report["machine"]))
        self.assertEqual([core["producer_cpu"] for core in report["cores"]],
                         sorted(os.sched_getaffinity(0)))
        for core in report["cores"]:
            self.assertNotEqual(core["consumer_cpu"], core["producer_cpu"])
            self.assertEqual(len(core["results"]), 9)
            for result in core["results"]:
                if result["rounds"]:
                    self.assertLessEqual(result["p10"], result["median"])
                    self.assertLessEqual(result["median"], result["p90"])
                    self.assertGreater(result["median"], 0)

    def test_stat_shows_the_consumers_of_stress(self):
        stress = self.start("stress", "--seconds", "600", "--consumers", "2", "--json")
        self.assertEqual(set(self.await_consumers(stress, 1, 2)),
                         {"evring stress #0", "evring stress #1"})
        self.interrupt(stress)


if __name__ == "__main__":
    unittest.main()
