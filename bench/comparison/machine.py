# SPDX-License-Identifier: MIT
"""What a table must say about where it was measured."""

import platform
import re
import subprocess
from pathlib import Path


def governor():
    path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return path.read_text(encoding="utf-8").strip() if path.exists() else "none"


def describe(listing, fifo=True):
    """By the line, in words; `listing` is what the program says of itself."""
    said = subprocess.run(["lscpu"], capture_output=True, check=True, text=True, env={"LC_ALL": "C"})
    cpu = dict(re.findall(r"^ *(.+?): +(.*)$", said.stdout, re.MULTILINE))
    cpus = ",".join(map(str, listing["allowed_cpus"]))
    family = f"family {cpu.get('CPU family', '?')} model {cpu.get('Model', '?')}"
    caches = [f"{level} {cpu[level + ' cache']}" for level in ("L1d", "L2", "L3") if level + " cache" in cpu]
    return {
        "cpu": f"{cpu.get('Model name', platform.machine())}, {family}, {cpu['CPU(s)']} CPUs",
        "caches": ", ".join(caches) or "unknown",
        "kernel": f"{platform.release()} {platform.machine()}",
        "governor": governor(),
        "compiler": listing["compiler"],
        "pinning": f"CPUs {cpus}, producer on the first, consumers round the rest, "
        + ("SCHED_FIFO" if fifo else "SCHED_OTHER"),
    }
