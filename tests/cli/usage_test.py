# SPDX-License-Identifier: MIT
"""Help, versions, and what bad input gets: one line with the thing, the reason and the
remedy, and the exit code."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from command import EVRING, LIMIT_S, MODULE_LOADED, CommandTest

SUBCOMMANDS = ("list", "add", "remove", "inject", "watch", "stat", "top", "stress", "bench",
               "doctor")


class Help(CommandTest):
    def test_every_subcommand_explains_itself(self):
        for name in SUBCOMMANDS:
            with self.subTest(name):
                done = self.run_it(name, "--help")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("Usage: evring " + name, done.stdout)
                self.assertEqual(done.stderr, "")

    def test_the_command_names_all_subcommands_and_exit_codes(self):
        out = self.run_it("--help").stdout
        for name in SUBCOMMANDS:
            self.assertIn(f"  {name} ", out)
        self.assertIn("3 loss", out)

    def test_version(self):
        done = self.run_it("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^evring \d+\.\d+\.\d+\n$")

    def test_faults_are_hidden(self):
        self.assertNotIn("--fault", self.run_it("stress", "--help").stdout)

    def test_manual_page_of_every_subcommand(self):
        folder = os.environ["EVRING_MAN"]
        for name in ("evring", *(f"evring-{sub}" for sub in SUBCOMMANDS if sub != "top")):
            with open(os.path.join(folder, name + ".1"), encoding="utf-8") as page:
                text = page.read()
            self.assertIn(".SH NAME", text)
            self.assertIn(".SH SYNOPSIS", text)

    def test_manual_pages_name_every_option(self):
        folder = os.environ["EVRING_MAN"]
        for name in SUBCOMMANDS:
            if name == "top":
                continue
            with open(os.path.join(folder, f"evring-{name}.1"), encoding="utf-8") as page:
                text = page.read().replace("\\-", "-")
            for word in re.findall(r"--[a-z][a-z-]*", self.run_it(name, "--help").stdout):
                self.assertIn(word, text, f"evring-{name}.1 lacks {word}")


class UsageErrors(CommandTest):
    TABLE = (
        ((), "subcommand is required"),
        (("nonsense",), "nonsense"),
        (("list", "--nonsense"), "--nonsense"),
        (("list", "--local", "--kernel"), "excludes"),
        (("watch",), "name is required"),
        (("watch", "local:x", "--start", "tomorrow"), "'tomorrow' is no place to start"),
        (("stress", "--slots", "1000"), "'1000' is not a power of two from 2 to 16777216"),
        (("stress", "--producers", "0"), "'0' is not a whole number from 1 to 1024"),
        (("stress", "--read", "none"), "--read: 'none' is not one of burst, one, mixed"),
        (("stress", "--producers", "-3"), "whole number"),
        (("stress", "--mode", "sometimes"), "--mode"),
        (("stress", "--slot-bytes", "32"), "no room for producer, count and checksum"),
        (("stress", "--format", "packed", "--slot-bytes", "16"), "no room for producer"),
        (("stress", "--format", "packed", "--slot-bytes", "4"), "power of two from 8 to 4096"),
        (("stress", "--format", "packed", "--device", "kernel"), "carry a stamp"),
        (("add", "--local", "x", "--slot-bytes", "16"), "from 32 to 4096, as slots of format full"),
        (("add", "x", "--format", "packed"), "carry a stamp"),
        (("stress", "--mode", "gated", "--consumers", "63"), "registers at most 63"),
        (("stress", "--slots", "16777216", "--slot-bytes", "4096"), "1024 MiB of one mapping"),
        (("stress", "--cpus", "frog"), "frog"),
        (("add", "a/b"), "'a/b' is no name for a ring"),
        (("add", "control"), "'control' is no name for a ring"),
        (("add", "x" * 32), "1 to 31 letters"),
        (("add", "x", "--rate", "10"), "a soft device has no timer"),
        (("add", "x", "--local", "--irq-line"), "a local ring has no interrupt"),
        (("add", "x", "--local", "--barrier", "ipi"), "a local ring has no interrupt"),
        (("add", "x", "--barrier", "none"), "--barrier"),
        (("add", "x", "--local", "--wake", "irq"), "a local ring has no interrupt"),
        (("add", "x", "--wake", "never"), "--wake"),
        (("add", "--local", "x", "--slots", "4", "--batch", "8"), "8 events do not fit in 4 slots"),
        (("remove", "local:x"), "ends with the process that serves it"),
        (("bench", "nonsense"), "known are publish"),
        (("stat", "--interval", "0"), "--interval"),
        (("stat", "--interval", "nan"), "'nan' is not a time from 10ms to 1h"),
        (("stress", "--seconds", "nan"), "'nan' is not a time from 10ms to 24h"),
        (("bench", "--round-seconds", "nan"), "'nan' is not a time from 1ms to 10s"),
        (("inject", "local:x", "--linger", "nan"), "'nan' is not a time from 0 to 1000000s"),
        (("inject", "local:x", "--count", "1e3"), "whole number"),
        (("stress", "--slots", "0o256"), "power of two"),
        (("add", "--local", ".x"), "'.x' is no name for a ring"),
        (("inject", "local:../x"), "'local:../x' is no name for a ring"),
        (("watch", "local:a/b"), "'local:a/b' is no name for a ring"),
        (("watch", "--local", "a b"), "'a b' is no name for a ring"),
        (("stat", "local:"), "'local:' is no name for a ring"),
        (("remove", "../x"), "'../x' is no name for a ring"),
    )

    def test_one_line_and_exit_code_2(self):
        for words, part in self.TABLE:
            with self.subTest(words):
                self.check_error(self.run_it(*words), 2, part)


class Errors(CommandTest):
    def test_unknown_local_ring(self):
        for words in (("watch", "local:foo"), ("watch", "--local", "foo"), ("stat", "local:foo")):
            with self.subTest(words):
                self.check_error(self.run_it(*words), 1, "local ring 'foo'", "foo.sock",
                                 "'evring list' shows what is there")

    def test_cpu_outside_the_allowed_set(self):
        self.check_error(self.run_it("stress", "--cpus", "4000"), 1, "4000")
        self.check_error(self.run_it("bench", "--cpus", "4000"), 1, "4000")

    @unittest.skipIf(MODULE_LOADED, "the module is loaded")
    def test_module_not_loaded(self):
        self.check_error(self.run_it("list", "--kernel"), 1, "module evring is not loaded",
                         "modprobe evring")
        self.check_error(self.run_it("add", "foo"), 1, "module evring is not loaded")
        self.check_error(self.run_it("remove", "foo"), 1, "module evring is not loaded")
        for verb in ("watch", "inject", "stat"):
            done = self.run_it(verb, "foo", stdin=subprocess.DEVNULL)
            self.check_error(done, 1, "device 'foo'", "module evring is not loaded")
        stress = ("stress", "--device", "kernel", "--seconds", "0.1")
        self.check_error(self.run_it(*stress), 1, "module evring is not loaded")
        self.check_error(self.run_it(*stress, "--skip-if-absent"), 4, "skipped")

    def test_bench_needs_the_rig_and_believes_no_wrong_record(self):
        """A copy of the command, with another program in the rig's place."""
        program = shutil.copy(EVRING, self.folder.name)
        rig = pathlib.Path(self.folder.name, "evring_rig")
        words = [program, "bench", "publish", "--rounds", "1", "--json"]

        def check(part):
            done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
            self.check_error(done, 1, "evring_rig", part)

        check("EVRING_BUILD_BENCH=ON")
        for body, part in (("exit 3", "exit status 3 and no record of '--loop=publish"),
                           ("echo '{\"exact\": false, \"value\": 1}'", "do not add up"),
                           ("echo '{\"exact\": false, \"failed\": \"no memory\"}'", "no memory")):
            rig.write_text("#!/bin/sh\n" + body + "\n", encoding="ascii")
            rig.chmod(0o755)
            check(part)

    def test_full_disk_is_an_error_of_every_command(self):
        """None ends well that could not say what it was asked for; each says so once."""
        commands = (("list", "--local", "--json"), ("list", "--local"), ("stat", "--json", "--interval", "0.01"),
                    ("inject", "local:x", "--count", "1", "--json"), ("doctor", "--json"),
                    ("stress", "--seconds", "0.05", "--json"), ("stress", "--seconds", "0.05"),
                    ("--help",), ("--version",), ("watch", "--help"), ("stress", "--help"))
        if "EVRING_RIG" in os.environ:
            commands += (("bench", "publish", "--rounds", "1", "--round-seconds", "0.01", "--json"),)
        for words in commands:
            with self.subTest(words), open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run([EVRING, *words], stdout=full, text=True, timeout=LIMIT_S,
                                      stderr=subprocess.PIPE, env=self.env, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr,
                                 "evring: standard output: No space left on device\n")

    def test_full_disk_ends_a_watch(self):
        self.start("inject", "local:x", "--count", "3", "--linger", "60")
        self.await_local("x")
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([EVRING, "watch", "local:x", "--start", "oldest", "--json"], stdout=full, text=True,
                                  timeout=LIMIT_S, stderr=subprocess.PIPE, env=self.env, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "evring: standard output: No space left on device\n")

    def test_closed_standard_input_does_not_hang(self):
        done = subprocess.run(["sh", "-c", 'exec "$0" inject local:x <&-', EVRING], text=True,
                              capture_output=True, env=self.env, timeout=LIMIT_S, check=False)
        self.check_error(done, 1, "standard input: Bad file descriptor")

    def test_closed_standard_output_is_an_error(self):
        for words in ("list --local", "--help", "inject local:x --count 1"):
            with self.subTest(words):
                done = subprocess.run(["sh", "-c", f'exec "$0" {words} >&-', EVRING], text=True,
                                      capture_output=True, env=self.env, timeout=LIMIT_S, check=False)
                self.check_error(done, 1, "standard output: Bad file descriptor")

    def test_leading_zeros_are_not_octal(self):
        self.start("add", "--local", "zeros", "--slots", "0256")
        self.await_local("zeros")
        listed = json.loads(self.run_it("list", "--local", "--json").stdout)
        self.assertEqual(listed["local"][0]["slot_count"], 256)

    def test_closed_pipe_is_quiet(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([EVRING, "list", "--local", "--json"], stdout=writer, text=True,
                              stderr=subprocess.PIPE, env=self.env, check=False)
        os.close(writer)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
