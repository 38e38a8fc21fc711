# SPDX-License-Identifier: MIT
"""Faults of the ring: all unit tests in one program, of which a fault's own are tried first."""
import concurrent.futures
import glob
import os
import shutil
import signal
import subprocess

import scratch
from scratch import COPY, SCRATCH, Error

FOLDERS = ("ring/include", "ring/src", "tests/unit", "tests/group")
LEFT_OUT = {"group_socket_test", "group_stress_test"}  # want a program beside them; luck
FLAGS = ["-std=c++20", "-O1", "-DNDEBUG", "-fPIC", "-pthread", "-w", "-Iring/include"]


def compiler():
    cache = shutil.which("ccache")
    return ([cache] if cache else []) + [os.environ.get("CXX", "g++")]


def sources():
    """{source: what it is for}: "library" or the stem of a test file."""
    found = {}
    for path in sorted(glob.glob("ring/src/*.cpp")):
        found[path] = "library"
    for path in sorted(glob.glob("tests/unit/*_test.cpp") + glob.glob("tests/group/*_test.cpp")):
        stem = os.path.basename(path)[:-len(".cpp")]
        if stem not in LEFT_OUT:
            found[path] = stem
    return found


def object_of(source, folder):
    return os.path.join(SCRATCH, folder, source.replace("/", "_") + ".o")


def dependencies(made):
    """What the object `made` was compiled from, or None when it is not there."""
    try:
        with open(made + ".d", encoding="utf-8") as listed:
            words = listed.read().replace("\\\n", " ").split()[1:]
    except FileNotFoundError:
        return None
    return [word for word in words if not word.startswith("/")]


def is_current(made):
    needed = dependencies(made)
    if needed is None or not os.path.exists(made):
        return False
    born = os.path.getmtime(made)
    return all(os.path.exists(path) and os.path.getmtime(path) < born for path in needed)


def compile_all(wanted, folder, jobs):
    """Compiles each of `wanted` into `folder`. Returns what went wrong, or nothing."""
    os.makedirs(os.path.join(SCRATCH, folder), exist_ok=True)

    def one(source):
        made = object_of(source, folder)
        command = compiler() + FLAGS + ["-MD", "-MF", made + ".d", "-c", source, "-o", made]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        return done.stderr if done.returncode != 0 else ""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return "".join(pool.map(one, wanted))


def link(objects, program):
    command = [compiler()[-1], "-pthread", "-o", program] + objects + ["-lgtest", "-lgtest_main"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Error(f"linking {program}:\n{done.stderr}")


def run_tests(program, limit_s):
    """The name of the test that failed first, with how, or None."""
    process = subprocess.Popen([program, "--gtest_fail_fast", "--gtest_brief=0"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True)
    how = ""
    try:
        output, _ = process.communicate(timeout=limit_s)
        if process.returncode == 0:
            return None
        if process.returncode < 0:
            how = f" ({signal.Signals(-process.returncode).name})"
    except subprocess.TimeoutExpired:
        how = f" (ran past {limit_s} s)"
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    return scratch.failed_test(output) + how


class RingBench:
    """The copy, compiled as it is; takes one fault at a time."""

    def __init__(self, arguments, faults):
        del faults  # any of the ring's
        self.arguments = arguments
        scratch.copy_folders(FOLDERS)
        for header in glob.glob(os.path.join(scratch.TREE, "tests", "*.hpp")):  # of all folders
            scratch.put(os.path.join(COPY, "tests", os.path.basename(header)), scratch.read(header))
        os.chdir(COPY)
        self.sources = sources()
        stale = [s for s in self.sources if not is_current(object_of(s, "sound"))]
        wrong = compile_all(stale, "sound", arguments.jobs)
        if wrong:
            raise Error(f"the tree as it is does not compile:\n{wrong}")
        self.needs = {s: dependencies(object_of(s, "sound")) for s in self.sources}

    def sound(self):
        """The tree as it is must pass, or nothing that a fault does means anything."""
        killer = self.try_tests(None, set(self.sources.values()), set())
        if killer:
            raise Error(f"{killer} fails without a fault")

    def try_fault(self, fault):
        """The test that notices `fault`, or None."""
        if not any(fault["file"] in needed for needed in self.needs.values()):
            raise Error(f"{fault['id']}: nothing that is built here includes {fault['file']}")
        shutil.rmtree(os.path.join(SCRATCH, "planted"), ignore_errors=True)
        with scratch.planted(fault) as path:
            killer = self.first_killer(fault)
        old = os.path.getmtime(object_of(next(iter(self.sources)), "sound"))
        os.utime(path, (old - 100000, old - 100000))
        return killer

    def first_killer(self, fault):
        first = {"library", *fault.get("by", [])}
        everything = set(self.sources.values())
        built = set()
        for tests in ([first] if len(first) > 1 else []) + [everything]:
            killer = self.try_tests(fault["file"], tests, built)
            if killer or self.arguments.only_by:
                return killer
        return None

    def try_tests(self, changed, tests, built):
        chosen = [s for s, what in self.sources.items() if what in tests]
        affected = [s for s in chosen if changed in self.needs[s]]
        wrong = compile_all([s for s in affected if s not in built], "planted",
                            self.arguments.jobs)
        if wrong:
            raise Error("the fault does not compile: " + wrong)
        built.update(affected)
        program = os.path.join(SCRATCH, "program")
        link([object_of(s, "planted" if s in affected else "sound") for s in chosen], program)
        return run_tests(program, self.arguments.limit_s)
