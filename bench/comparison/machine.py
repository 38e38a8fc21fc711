# SPDX-License-Identifier: MIT
"""What a table must say about where it was measured."""

import platform
import re
import subprocess
from pathlib import Path


def governor():
    path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return path.read_text(encoding="utf-8").strip() if path.exists() else "none"


def lscpu():
    """What lscpu says, by the name of its line."""
    said = subprocess.run(["lscpu"], capture_output=True, check=True, text=True, env={"LC_ALL": "C"})
    return dict(re.findall(r"^ *(.+?): +(.*)$", said.stdout, re.MULTILINE))


def cpu_model(cpu):
    """The CPU by name, family and model."""
    family = f"family {cpu.get('CPU family', '?')} model {cpu.get('Model', '?')}"
    return f"{cpu.get('Model name', platform.machine())}, {family}"


def describe(listing, fifo=True):
    """By the line, in words; `listing` is what the program says of itself."""
    cpu = lscpu()
    cpus = ",".join(map(str, listing["allowed_cpus"]))
    caches = [f"{level} {cpu[level + ' cache']}" for level in ("L1d", "L2", "L3") if level + " cache" in cpu]
    return {
        "cpu": f"{cpu_model(cpu)}, {cpu['CPU(s)']} CPUs",
        "caches": ", ".join(caches) or "unknown",
        "kernel": f"{platform.release()} {platform.machine()}",
        "governor": governor(),
        "compiler": listing["compiler"],
        "pinning": f"CPUs {cpus}, producer on the first, consumers round the rest, "
        + ("SCHED_FIFO" if fifo else "SCHED_OTHER"),
    }
