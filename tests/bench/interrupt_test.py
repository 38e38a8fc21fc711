#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ctrl-C in poller/demo, wherever it is: status 130, and nothing of it is left. In a folder of
its own, with the evring of $EVRING and stand-ins for what would build and boot."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVRING = Path(os.environ["EVRING"])
LIMIT_S = 60


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def eventually(condition):
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def processes_with(mark):
    """{pid: command line} of those that have inherited `mark` in their environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = command.decode()
        except OSError:
            pass  # of somebody else, or gone
    return found


class Interrupt(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="evring-demo-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.run_dir = self.root / "run"
        self.run_dir.mkdir()
        self.mark = str(uuid.uuid4())
        self.addCleanup(self.kill_marked)
        for name in ("poller/demo", "bench/demo"):
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).symlink_to(ROOT / name)
        script(self.root / ".ci/setup", "exit 0")
        script(self.root / "bin/cmake", "exit 0")
        for name in ("fetch", "build-modules", "run"):
            script(self.root / "tests/guest" / name, "exit 0")
        script(self.root / "build/bin/evring", f'[ "$1" = bench ] || exec {EVRING} "$@"')
        (self.root / "build/bin/evring-stress").symlink_to(EVRING.with_name("evring-stress"))

    def kill_marked(self):
        for pid in processes_with(self.mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def hang_in(self, name):
        """That stand-in starts another process, as a build or QEMU is one, and waits for it.
        @return the file that is there as soon as both run."""
        there = self.root / "hangs"
        script(self.root / name, f"sleep 600 &\ntouch {there}\nwait")
        return there

    def interrupt_when(self, condition, *words):
        """As a terminal does it: SIGINT to the group of the demo itself."""
        env = dict(os.environ, PATH=f"{self.root}/bin:{os.environ['PATH']}", TMPDIR=str(self.root),
                   XDG_RUNTIME_DIR=str(self.run_dir), EVRING_DEMO_TEST=self.mark)
        with open(self.root / "out", "w", encoding="utf-8") as out:
            demo = subprocess.Popen([self.root / "poller/demo", *words], env=env, stdout=out,
                                    stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(demo.wait)
        came = eventually(lambda: condition() or demo.poll() is not None)
        said = (self.root / "out").read_text(encoding="utf-8")
        self.assertTrue(came and demo.poll() is None, f"ended before: {said}")
        os.killpg(demo.pid, signal.SIGINT)
        self.assertEqual(demo.wait(LIMIT_S), 130, said)
        self.assertTrue(eventually(lambda: not processes_with(self.mark)), processes_with(self.mark))
        self.assertEqual([str(each) for each in self.run_dir.rglob("*") if not each.is_dir()], [])

    def runs(self, pattern):
        return lambda: any(self.run_dir.glob(pattern))

    def test_while_it_builds(self):
        self.interrupt_when(self.hang_in("bin/cmake").exists)

    def test_while_producers_and_consumers_run(self):
        self.interrupt_when(self.runs("evring/consumers/*"), "--here")

    def test_while_a_ring_is_served_and_watched(self):
        served = self.runs("evring/demo*.sock")
        watched = self.runs("evring/consumers/*")
        self.interrupt_when(lambda: served() and watched(), "--here")

    def test_while_a_guest_runs(self):
        self.interrupt_when(self.hang_in("tests/guest/run").exists, "--guest")


if __name__ == "__main__":
    sys.exit(unittest.main())
