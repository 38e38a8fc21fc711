# SPDX-License-Identifier: MIT
"""What a table must say about where it was measured."""

import os
import platform
import re
from pathlib import Path


def read(path):
    """The text of a file of /proc or /sys, or nothing."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def caches():
    """ "L1d 32K, L2 1024K, L3 32768K" """
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = read(index / "type")
        if kind != "Instruction":
            letter = "d" if kind == "Data" else ""
            found.append(f"L{read(index / 'level')}{letter} {read(index / 'size')}")
    return ", ".join(found)


def describe(listing, fifo=True):
    """By the line, in words; `listing` is what the program says of itself."""
    fields = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", read("/proc/cpuinfo"), re.MULTILINE))
    cpus = ",".join(map(str, listing["allowed_cpus"]))
    cpu = fields.get("model name", platform.machine())
    if "cpu family" in fields:
        cpu += f", family {fields['cpu family']} model {fields['model']}"
    return {
        "cpu": f"{cpu}, {os.cpu_count()} CPUs",
        "caches": caches() or "unknown",
        "kernel": f"{platform.release()} {platform.machine()}",
        "governor": read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "none",
        "compiler": listing["compiler"],
        "pinning": f"CPUs {cpus}, producer on the first, consumers round the rest, "
        + ("SCHED_FIFO" if fifo else "SCHED_OTHER"),
    }
