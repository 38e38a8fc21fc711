# SPDX-License-Identifier: MIT
"""The copy of the tree in which faults are planted, and what both benches do with it."""
import contextlib
import fcntl
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
SCRATCH = os.path.join(TREE, "build", "mutants")
COPY = os.path.join(SCRATCH, "tree")


class Error(Exception):
    """What the user should read, and no trace."""


def read(path):
    with open(path, "rb") as source:
        return source.read()


def put(path, content):
    """What does not change keeps its time."""
    if not os.path.exists(path) or read(path) != content:
        with open(path, "wb") as out:
            out.write(content)


def copy_folders(folders):
    """Brings these folders of the copy up to date."""
    for folder in folders:
        there = os.path.join(COPY, folder)
        wanted = set()
        for path, _, names in os.walk(os.path.join(TREE, folder)):
            to = os.path.join(there, os.path.relpath(path, os.path.join(TREE, folder)))
            os.makedirs(to, exist_ok=True)
            for name in names:
                wanted.add(os.path.normpath(os.path.join(to, name)))
                put(os.path.join(to, name), read(os.path.join(path, name)))
        for path, _, names in os.walk(there):
            for name in names:
                if os.path.normpath(os.path.join(path, name)) not in wanted:
                    os.remove(os.path.join(path, name))


def lock():
    """Keeps other runs out of SCRATCH for as long as the file that it returns is open."""
    os.makedirs(SCRATCH, exist_ok=True)
    held = open(os.path.join(SCRATCH, "lock"), "w", encoding="utf-8")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Error(f"another run works in {SCRATCH}") from None
    return held


@contextlib.contextmanager
def planted(fault):
    """The fault is in the copy meanwhile."""
    path = os.path.join(COPY, fault["file"])
    whole = read(path)
    with open(path, "wb") as out:
        out.write(whole.replace(fault["old"].encode(), fault["new"].encode()))
    try:
        yield path
    finally:
        with open(path, "wb") as out:
            out.write(whole)


def failed_test(output):
    """The GoogleTest test that failed first, or was running when the output ended."""
    failed = re.findall(r"^\[  FAILED  \] (\S+?),? ", output, re.M)
    begun = re.findall(r"^\[ RUN      \] (\S+)", output, re.M)
    return (failed or begun[-1:] or ["?"])[0]
