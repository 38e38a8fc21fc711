# SPDX-License-Identifier: MIT
"""tests/run in a tree of its own, where the tools that it calls do at once, or never end, what
a test tells them to: what it counts and says, and that nothing outlives its Ctrl-C."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A tool asks for its name in $HANG, and never ends where it stands there.
TOOL = """#!/bin/bash
case " $HANG " in *" ${0##*/} "*)
  touch "$STARTED/${0##*/}"
  sleep 600 & sleep 600
  exit 3 ;;
esac
"""
CTEST = TOOL + """
while (($#)); do [[ $1 == --output-junit ]] && cp "$REPORT" "$2"; shift; done
exit "$STATUS"
"""
CASE = '<testcase name="%s" status="%s"><system-out>%s</system-out></testcase>'


class Tree:
    """A tests/run among tools that are not the real ones."""

    def __init__(self, folder, hang="", report=None, status=0):
        self.root = pathlib.Path(folder)
        self.started = self.root / "started"
        self.started.mkdir()
        tools = self.root / "tools"
        for path, text in ((tools / "cmake", TOOL), (tools / "ctest", CTEST),
                           (self.root / ".ci/setup", TOOL), (self.root / "tests/guest/fetch", TOOL)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        shutil.copy(ROOT / "tests/run", self.root / "tests/run")
        if report is not None:
            (self.root / "report").write_text("<testsuite>" + report + "</testsuite>")
        self.environment = os.environ | {
            "PATH": f"{tools}:{os.environ['PATH']}", "HANG": hang, "STATUS": str(status),
            "STARTED": str(self.started), "REPORT": str(self.root / "report")}

    def start(self, *arguments):
        """In a session of its own, as a terminal starts it."""
        return subprocess.Popen([self.root / "tests/run", *arguments], env=self.environment,
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True, preexec_fn=heed_interrupts)

    def run(self, *arguments):
        process = self.start(*arguments)
        said, _ = process.communicate(timeout=60)
        return process.returncode, said

    def await_start_of(self, tool):
        deadline = time.monotonic() + 60
        while not (self.started / tool).exists():
            assert time.monotonic() < deadline, f"{tool} was never started"
            time.sleep(0.02)

    def left_after(self, limit_s):
        """What still has this tree in its environment after that time, which ends it."""
        mark = f"STARTED={self.started}".encode()
        deadline = time.monotonic() + limit_s
        while True:
            left = [int(entry.name) for entry in pathlib.Path("/proc").iterdir()
                    if entry.name.isdigit() and mark in environment_of(entry)]
            if not left or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left


def heed_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment_of(process):
    try:
        return (process / "environ").read_bytes()
    except OSError:  # gone, or a zombie
        return b""


class Counts(unittest.TestCase):
    def outcome(self, *, report, status):
        with tempfile.TemporaryDirectory() as folder:
            return Tree(folder, report=report, status=status).run("--quick")

    def test_all_pass(self):
        status, said = self.outcome(report=CASE % ("one", "run", "fine"), status=0)
        self.assertEqual(status, 0, said)
        self.assertIn("1 passed, 0 failed", said)

    def test_a_suite_counts_as_many_as_it_says(self):
        told = "[==========]\n[  PASSED  ] 3 tests.\n[  SKIPPED ] 1 test, listed below:\n"
        status, said = self.outcome(report=CASE % ("suite", "run", told), status=0)
        self.assertEqual(status, 0, said)
        self.assertIn("1 not run, see above", said)
        self.assertIn("3 passed, 0 failed", said)

    def test_a_failure_fails_and_tells_what_it_said(self):
        report = CASE % ("one", "run", "fine") + CASE % ("two", "fail", "error: the ring broke")
        status, said = self.outcome(report=report, status=8)
        self.assertEqual(status, 1, said)
        self.assertRegex(said.split("== tests/run")[1], r"two:\s+error: the ring broke")
        self.assertIn("1 passed, 1 failed", said)

    def test_a_program_that_is_not_there_fails(self):
        status, said = self.outcome(report=CASE % ("one", "run", "fine"), status=8)
        self.assertEqual(status, 1, said)
        self.assertIn("1 passed, 1 failed", said)

    def test_no_report_fails(self):
        status, said = self.outcome(report=None, status=1)
        self.assertEqual(status, 1, said)
        self.assertIn("ctest did not run", said)


class Interrupted(unittest.TestCase):
    """By a terminal, whose Ctrl-C reaches the process group that is in front alone; or by
    whoever stops the script and nothing else."""

    def interrupt(self, *, hang, wait_for, number=signal.SIGINT, group=True, arguments=()):
        with tempfile.TemporaryDirectory() as folder:
            tree = Tree(folder, hang=hang, report=CASE % ("one", "run", "fine"))
            process = tree.start(*arguments)
            for tool in wait_for:
                tree.await_start_of(tool)
            (os.killpg if group else os.kill)(process.pid, number)
            left = tree.left_after(20)
            said, _ = process.communicate()
            self.assertEqual(left, [], said)
            self.assertEqual(process.returncode, 128 + number, said)
            self.assertNotIn("passed,", said)

    def test_while_it_sets_up(self):
        self.interrupt(hang="setup", wait_for=["setup"])

    def test_while_it_builds_and_fetches(self):
        self.interrupt(hang="cmake fetch", wait_for=["cmake", "fetch"])

    def test_while_it_tests(self):
        self.interrupt(hang="ctest", wait_for=["ctest"], arguments=["--quick"])

    def test_while_it_waits_for_kernels(self):
        self.interrupt(hang="fetch", wait_for=["fetch"])

    def test_while_all_go_on(self):
        self.interrupt(hang="ctest", wait_for=["ctest"])

    def test_by_sigterm(self):
        self.interrupt(hang="cmake fetch", wait_for=["cmake", "fetch"], number=signal.SIGTERM)

    def test_by_a_terminal_that_closes(self):
        self.interrupt(hang="ctest", wait_for=["ctest"], number=signal.SIGHUP)

    def test_the_script_alone(self):
        self.interrupt(hang="cmake fetch", wait_for=["cmake", "fetch"], number=signal.SIGTERM,
                       group=False)


if __name__ == "__main__":
    unittest.main()
