# SPDX-License-Identifier: MIT
"""The command `evring` as its tests run it: by the path in $EVRING, in a runtime folder
of its own, so that tests beside each other do not meet."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

EVRING = os.environ.get("EVRING", "evring")
MODULE_LOADED = os.path.exists("/dev/evring/control")
LIMIT_S = 60


class CommandTest(unittest.TestCase):
    """Each test has an XDG_RUNTIME_DIR; what it started is killed at its end."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="evring-cli-")
        self.addCleanup(self.folder.cleanup)
        self.env = dict(os.environ, XDG_RUNTIME_DIR=self.folder.name)
        self.started = []
        self.addCleanup(self.kill_started)

    def kill_started(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def run_it(self, *words, **options):
        """Runs to the end: a CompletedProcess with text."""
        return subprocess.run([EVRING, *words], env=self.env, text=True, capture_output=True,
                              timeout=LIMIT_S, check=False, **options)

    def run_json(self, *words):
        done = self.run_it(*words)
        return done.returncode, json.loads(done.stdout)

    def start(self, *words, **options):
        process = subprocess.Popen([EVRING, *words], env=self.env, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.started.append(process)
        return process

    def finish(self, process, how=None):
        """Sends a signal if asked, waits; (status, stdout, stderr)."""
        if how is not None:
            process.send_signal(how)
        out, err = process.communicate(timeout=LIMIT_S)
        return process.returncode, out, err

    def interrupt(self, process):
        return self.finish(process, signal.SIGINT)

    def await_local(self, name):
        """Until a local ring of that name answers."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            listed = json.loads(self.run_it("list", "--local", "--json").stdout)
            if any(ring["name"] == f"local:{name}" for ring in listed["local"]):
                return
            time.sleep(0.02)
        self.fail(f"local ring {name} did not come up")

    def await_consumers(self, process, received=0, count=1):
        """Until stat shows `count` consumers of it that have read so much: who they are."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            _, report = self.run_json("stat", "--json", "--interval", "0.02")
            mine = [each["who"] for ring in report["rings"] for each in ring["consumers"]
                    if each["pid"] == process.pid and each["received"] >= received]
            if len(mine) >= count:
                return mine
            time.sleep(0.02)
        return self.fail(f"{process.args} shows no such consumers")

    def check_error(self, done, code, *parts):
        """One line on standard error, nothing on standard output, that exit code."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("evring: "), done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
