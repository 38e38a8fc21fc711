#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the tree to the rules that no compiler checks.

usage: check.py [--root DIR] CHECK...
CHECK is one of the functions named check_* below, without that prefix.
Prints file:line: message for each fault; the status is 1 if there is one.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

ROOMS = ("ring", "kmod", "poller", "bench", "tests")
MAY_INCLUDE = {"ring": {"ring"}, "kmod": {"kmod"}, "poller": {"poller", "ring"}}
# Folders of poller/src: what each may include beside itself and the library's headers.
POLLER_MAY_INCLUDE = {"lib": (), "tool": (), "cli": ("tool",), "stress": ("tool",), "daemon": ()}
KMOD_MAY_ALSO_INCLUDE = "ring/include/evring/abi.h"
# The floors of kmod/, from the ground up: a file includes what stands before it, on its own
# floor or below, and nothing behind it. driver.h is what a driver says; driver.c does it.
KMOD_FLOORS = (
    ("evring_probed.h", "compat", "compat_uring", "usercopy", "trace", "driver.h"),
    ("ring", "cursor"),
    ("producer",),
    ("sleeper", "sleepers", "doorbell", "arm"),
    ("class", "boot_id", "openings", "device", "table", "life"),
    ("file", "uring", "read", "map", "info", "ioctl", "node", "sysfs", "control"),
    ("driver",),
)
KMOD_TOP = ("main",)  # knows all, the sources too
KMOD_BESIDE = {  # folder or file -> all that it may include beyond what lies beside it
    "kmod/source/": ("kmod/driver.h", "kmod/compat.h"),
    "kmod/list/": ("kmod/baseline_abi.h",),
    "kmod/kfifo/": ("kmod/baseline_abi.h",),
    "kmod/bare/": ("kmod/driver.h", "kmod/compat.h"),
    "kmod/probe/": (),
}
KERNEL_CODE = ("kmod/", "tests/guest/fault/", "tests/kernel/driver/")
TOP_LEVEL = set(ROOMS) | {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"}
CODE = (".c", ".h", ".cpp", ".hpp", ".cc")
PROTOCOL = "ring/PROTOCOL.md"
MAX_FILE_LINES = 460
MAX_HEADER_LINES = 8
WRAPPERS = {"memory.hpp"}  # where the ordered accesses themselves are defined
BARRIER = (r"\bsmp_(mb|rmb|wmb|load_acquire|store_release|store_mb|mb__\w+)\b"
           r"|\b(load_acquire|store_release|fence_(acquire|release|full|seq_cst))\(")
NEAR_LINES = 10
SEQUENCE = "ring/include/evring/sequence.hpp"
SIGNED_DIFFERENCE = r"\bint64_t>?\s*[({]\s*[^;]*[\w)\]]\s+-\s+[\w(]"

FORBIDDEN = (  # (what, where, which files)
    ("'volatile' is no way to share a word", r"(?<!asm )(?<!__asm__ )\bvolatile\b(?!\()", CODE),
    ("a sanitizer is silenced", r"\bno_sanitize|__no_kcsan|__no_sanitize|disable_sanitizer", CODE),
    ("a registry host is named",
     r"\b(deb|security|snapshot|ftp)\.debian\.org|\bpypi\.org|pythonhosted\.org|\bcrates\.io"
     r"|npmjs\.(org|com)|proxy\.golang\.org|\bghcr\.io|\bdocker\.io", ()),
    ("a path of one machine is named", r"(?<![\w.}])/(wor[k]|hom[e]/\w+|User[s])/", ()),
)


class Tree:
    """The project's files, and the faults found in them."""

    def __init__(self, root):
        self.root = root
        self.faults = []
        self.paths = sorted(self._list())

    def _list(self):
        command = ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard"]
        if shutil.which("git") and os.path.exists(os.path.join(self.root, ".git")):
            listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
            return [p for p in listed.split("\0")
                    if p and os.path.isfile(os.path.join(self.root, p))]
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f != ".git" and not f.startswith("build")]
            found += [os.path.relpath(os.path.join(folder, n), self.root) for n in names]
        return found

    def code(self, *rooms):
        return [p for p in self.paths if p.endswith(CODE) and p.split("/")[0] in (rooms or ROOMS)]

    def lines(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def fault(self, path, line, message):
        self.faults.append(f"{path}:{line}: {message}")


def included_path(tree, path, name):
    """The project's file that #include names from path, or None for a system header."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    if beside in tree.paths:
        return beside
    room = path.split("/")[0] + "/"
    fits = [p for p in tree.paths if p == name or p.endswith("/" + name)]
    return min(fits, key=lambda p: not p.startswith(room), default=None)


def poller_folders_agree(path, target):
    def folder_of(file):
        parts = file.split("/")
        return parts[2] if parts[:2] == ["poller", "src"] and len(parts) > 3 else None

    here, there = folder_of(path), folder_of(target)
    if there is None or here == there:
        return True
    return here is not None and there in POLLER_MAY_INCLUDE.get(here, ())


def check_includes(tree):
    for path in tree.code(*MAY_INCLUDE):
        room = path.split("/")[0]
        for number, line in enumerate(tree.lines(path), 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            target = match and included_path(tree, path, match.group(1))
            if target and not poller_folders_agree(path, target):
                tree.fault(path, number, f"{os.path.dirname(path)}/ must not include {target}")
            if not target or target.split("/")[0] in MAY_INCLUDE[room]:
                continue
            if room == "kmod" and target == KMOD_MAY_ALSO_INCLUDE:
                continue
            tree.fault(path, number, f"{room}/ must not include {target}")


def kmod_place(path):
    """Where a file stands in KMOD_FLOORS: by its name, or by its name without the ending."""
    order = [unit for floor in KMOD_FLOORS for unit in floor] + list(KMOD_TOP)
    name = os.path.basename(path)
    stem = os.path.splitext(name)[0]
    return next((order.index(unit) for unit in (name, stem) if unit in order), None)


def check_floors(tree):
    """In kmod/ nothing is included from a higher floor, so no two files know each other."""
    for path in tree.code("kmod"):
        folder = os.path.dirname(path) + "/"
        place = kmod_place(path) if folder == "kmod/" else None
        if folder == "kmod/" and place is None and os.path.basename(path) != "baseline_abi.h":
            tree.fault(path, 1, "stands on no floor: KMOD_FLOORS in check.py, and the README")
        for number, line in enumerate(tree.lines(path), 1):
            match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            target = match and included_path(tree, path, match.group(1))
            if not target or not target.startswith("kmod/"):
                continue
            beside = folder != "kmod/" and os.path.dirname(target) + "/" == folder
            if beside or target in KMOD_BESIDE.get(folder, ()):
                continue
            may = folder == "kmod/" and place is not None and (
                os.path.basename(path).startswith(KMOD_TOP)
                or (kmod_place(target) is not None and os.path.dirname(target) == "kmod"
                    and kmod_place(target) <= place))
            if not may:
                tree.fault(path, number, f"{target} stands on a higher floor")


def check_tokens(tree):
    for path in tree.paths:
        for what, pattern, suffixes in FORBIDDEN:
            if suffixes and not path.endswith(suffixes):
                continue
            for number, line in enumerate(tree.lines(path), 1):
                if re.search(pattern, strip_comment(line) if suffixes else line):
                    tree.fault(path, number, what)


def strip_comment(line):
    return re.sub(r"//.*|/\*.*?\*/|^\s*\*.*|/\*.*|\".*?\"", "", line)


def check_sequences(tree):
    """Which of two sequences is later is asked in one place: see sequence.hpp."""
    for path in tree.code("ring", "poller"):
        if path == SEQUENCE:
            continue
        for number, line in enumerate(tree.lines(path), 1):
            if re.search(SIGNED_DIFFERENCE, strip_comment(line)):
                tree.fault(path, number, f"a signed difference by hand; {SEQUENCE} has Sequence")


def check_toplevel(tree):
    for path in tree.paths:
        top = path.split("/")[0]
        if top not in TOP_LEVEL and not top.startswith("."):
            tree.fault(path, 1, "nothing of this name belongs at the top level")


def speaks_for(tree, path):
    """Whether the header of the same name carries the comment, so this file need not repeat it."""
    stem, ending = os.path.splitext(os.path.basename(path))
    room = path.split("/")[0]
    return ending in (".c", ".cpp") and any(
        os.path.basename(p) in (stem + ".h", stem + ".hpp") for p in tree.code(room))


def check_headers(tree):
    """A licence tag, the one that the room takes, and a short comment on each file."""
    for path in tree.code():
        lines = tree.lines(path)
        if len(lines) > MAX_FILE_LINES and path != KMOD_MAY_ALSO_INCLUDE:  # one header, whole
            tree.fault(path, len(lines), f"longer than {MAX_FILE_LINES} lines")
        tag = re.search(r"SPDX-License-Identifier: (.*?)\s*(\*/)?$", lines[0] if lines else "")
        wanted = "GPL-2.0-only" if path.startswith(KERNEL_CODE) else "MIT"
        if path.startswith(("ring/", "kmod/")) and path.endswith("abi.h"):  # for both sides
            wanted = "(GPL-2.0-only WITH Linux-syscall-note) OR MIT"
        found = tag.group(1) if tag else "none"
        if found != wanted:
            tree.fault(path, 1, f"licence tag '{found}', expected '{wanted}'")
        comment = 0
        for line in lines[1:]:
            if not re.match(r"\s*(//|/?\*)", line):
                break
            comment += 1
        if comment == 0 and not speaks_for(tree, path):
            tree.fault(path, 2, "no comment says what the file is for")
        drawn = path == KMOD_MAY_ALSO_INCLUDE  # it opens with the map of a mapping
        if comment > MAX_HEADER_LINES + 2 and not drawn:
            tree.fault(path, 2, f"the file's comment is longer than {MAX_HEADER_LINES} lines")


LETTER = r"\(([A-Z]\d+[a-z]?)\)"


def comment_blocks(lines):
    """(first line's number, text) of each run of comment lines, and of each trailing comment."""
    block, start, inside = [], 0, False
    for number, line in enumerate(lines, 1):
        match = re.match(r"\s*(?://[/!<]*|/\*+|\*(?!/))(.*)", line)
        if inside or match:
            if not block:
                start = number
            block.append((match.group(1) if match else line).replace("*/", " "))
            opened = line.rfind("/*")
            inside = (inside or opened >= 0) and line.find("*/", max(opened, 0)) < 0
            continue
        if block:
            yield start, " ".join(block)
            block = []
        trailing = re.search(r"(?://|/\*)(.*)", line)
        if trailing:
            opened = line.rfind("/*")
            if opened >= 0 and line.find("*/", opened) < 0:
                block, start, inside = [trailing.group(1)], number, True
            else:
                yield number, trailing.group(1).replace("*/", " ")
    if block:
        yield start, " ".join(block)


def ordering_letters(tree):
    """letter -> {"at": (path, line), "pairs": set}, over all the code that orders memory."""
    letters, mentions = {}, []
    for path in tree.code("ring", "kmod", "poller"):
        for number, text in comment_blocks(tree.lines(path)):
            mentions += [(m, path, number) for m in re.findall(LETTER, text)]
            # A comment may explain several accesses, each from its letter to the next.
            parts = re.split(r"(?:^|(?<=[.;])\s)\s*" + LETTER + r"(?=\s)", " " + text.strip())
            for letter, body in zip(parts[1::2], parts[2::2]):
                pairs = re.findall(r"[Pp]airs\s+with\s+((?:" + LETTER + r"[\s,]*(?:and\s+)?)+)", body)
                entry = letters.setdefault(letter, {"at": (path, number), "pairs": set()})
                entry["pairs"] |= {p for group in pairs for p in re.findall(LETTER, group[0])}
    return letters, mentions


def table_rows(tree):
    """The set of letters in each row of PROTOCOL.md's tables, drawings left out."""
    rows, drawing = [], False
    for number, line in enumerate(tree.lines(PROTOCOL), 1):
        drawing ^= line.startswith("```")
        if not drawing and line.startswith("|"):
            found = set(re.findall(r"\b([A-Z]\d+[a-z]?)\b", line))
            if found:
                rows.append((number, found))
    return rows


def check_barriers(tree):
    """Each ordered access stands under a comment with its letter, or one that names its partner."""
    for path in tree.code("ring", "kmod", "poller"):
        lines = tree.lines(path)
        if os.path.basename(path) in WRAPPERS:
            continue
        for number, line in enumerate(lines, 1):
            if re.search(BARRIER, strip_comment(line)):
                above = " ".join(lines[max(0, number - 1 - NEAR_LINES):number])
                if not re.search(LETTER + r"|[Pp]airs\s+with", above):
                    tree.fault(path, number, "an ordered access without its letter, 'pairs with'")


def check_ordering(tree):
    letters, mentions = ordering_letters(tree)
    if not letters:
        tree.fault("ring", 1, "no ordering letter in the whole tree")
    for letter, path, number in mentions:
        if letter not in letters:
            tree.fault(path, number, f"({letter}) is mentioned, but no access bears it")
    if PROTOCOL not in tree.paths:
        tree.fault(PROTOCOL, 1, "the page with the table of pairs is missing")
        return
    rows = table_rows(tree)
    for letter, entry in sorted(letters.items()):
        path, number = entry["at"]
        if not entry["pairs"]:
            tree.fault(path, number, f"({letter}) does not say what it pairs with")
        for partner in sorted(entry["pairs"]):
            if letter not in letters.get(partner, {"pairs": ()})["pairs"]:
                tree.fault(path, number, f"({letter}) pairs with ({partner}), which does not say so")
            if not any({letter, partner} <= row for _, row in rows):
                tree.fault(path, number, f"({letter}) and ({partner}) have no row in {PROTOCOL}")
    for number, row in rows:
        for letter in sorted(row - set(letters)):
            tree.fault(PROTOCOL, number, f"({letter}) has a row, but no access bears it")


def main():
    checks = {n[len("check_"):]: f for n, f in globals().items() if n.startswith("check_")}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "../.."))
    parser.add_argument("check", nargs="+", choices=sorted(checks))
    arguments = parser.parse_args()
    tree = Tree(os.path.realpath(arguments.root))
    for name in arguments.check:
        checks[name](tree)
    print("\n".join(tree.faults) or f"{len(tree.paths)} files: {', '.join(arguments.check)}: clean")
    return 1 if tree.faults else 0


if __name__ == "__main__":
    sys.exit(main())
