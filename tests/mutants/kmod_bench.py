# SPDX-License-Identifier: MIT
"""Faults of the module: one build and one boot each, in the kernel that shows it."""
import os
import re
import subprocess

import scratch
from scratch import COPY, SCRATCH, TREE, Error

TESTS = os.path.join(TREE, "tests", "kernel")
PROGRAM = os.path.join(TREE, "build", "bin", "kernel_test")
GUEST = os.path.join(TREE, "tests", "guest")
KERNEL = "6.12"
# The runner's own, see tests/guest/run: these say that nothing was tried.
NOT_TRIED = {120, 125}
BY_ITSELF = {121: "no end of the guest", 122: "a kernel panic", 123: "the kernel's log",
             124: "the guest was lost"}


def suites_of(file):
    """The names of the GoogleTest suites of a test file."""
    text = scratch.read(os.path.join(TESTS, file)).decode()
    return set(re.findall(r"^ *TEST(?:_F|_P)?\((\w+),", text, re.M))


def all_suites():
    return {suite for file in os.listdir(TESTS) if file.endswith(".cpp") for suite in suites_of(file)}


def filters_of(fault):
    """What should notice: a word with a dot is a filter itself, else it is a file."""
    for word in fault.get("by", []):
        if "." in word:
            yield word
        else:
            yield from (f"{name}.*:*/{name}.*" for name in suites_of(word + ".cpp"))


def filter_of(faults):
    return ":".join(sorted({word for fault in faults for word in filters_of(fault)}))


def place_of(fault):
    """Where it is tried: kernel, parameters of evring, options of tests/guest/run."""
    return (fault.get("kernel", KERNEL), fault.get("parameters", ""),
            tuple(fault.get("guest", ())))


def quietly(command, **environment):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, **environment}, check=False)
    if done.returncode != 0:
        raise Error(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


class KmodBench:
    """A copy of kmod/ and the tests as they are; takes one fault at a time."""

    def __init__(self, arguments, faults):
        self.arguments = arguments
        self.faults = faults
        scratch.copy_folders(["kmod"])
        quietly(["cmake", "--preset", "default", "-S", TREE])
        quietly(["cmake", "--build", os.path.join(TREE, "build"), "--target", "kernel_test",
                 "--parallel", str(arguments.jobs)])
        for kernel in sorted({place_of(fault)[0] for fault in faults}):
            quietly([os.path.join(GUEST, "fetch"), kernel])

    def sound(self):
        """The module as it is must pass, or nothing that a fault does means anything."""
        for place in sorted({place_of(fault) for fault in self.faults}):
            those = [fault for fault in self.faults if place_of(fault) == place]
            killer = self.boot(place, filter_of(those))
            if killer:
                raise Error(f"{killer} in {place[0]} without a fault")

    def try_fault(self, fault):
        """The test that notices `fault`, or what the kernel reported, or None."""
        with scratch.planted(fault):
            return self.boot(place_of(fault), filter_of([fault]))

    def boot(self, place, tests):
        kernel, parameters, options = place
        if not tests:
            return None
        quietly([os.path.join(GUEST, "build-modules"), "--source", os.path.join(COPY, "kmod"),
                 kernel], EVRING_BUILD_DIR=SCRATCH)
        module = os.path.join(SCRATCH, "kmod-kmod", kernel, "evring.ko")
        done = subprocess.run(
            [os.path.join(GUEST, "run"), "--kernel", kernel, *options,
             "--timeout", str(self.arguments.limit_s), "--log", os.path.join(SCRATCH, "guest.log"),
             "--module", f"{module} {parameters}".strip(), "--bundle", PROGRAM, "--",
             "kernel_test", "--gtest_fail_fast", "--gtest_filter=" + tests],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            env={**os.environ, "EVRING_BUILD_DIR": SCRATCH}, check=False)
        if done.returncode in NOT_TRIED:
            raise Error(f"tests/guest/run: {done.stderr}")
        return what_noticed(done) if done.returncode != 0 else None


def what_noticed(done):
    """The test that failed; or what the runner found, with the kernel's first line on it."""
    how = BY_ITSELF.get(done.returncode)
    if not how:
        return scratch.failed_test(done.stdout)
    said = re.search(r"^  kernel: (?:\[[^\]]*\] *)?(.*)$", done.stderr, re.M)
    return how + (": " + said.group(1).strip() if said else "")
