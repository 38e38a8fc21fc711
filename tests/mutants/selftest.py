#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that `run --check` passes a fault that applies and names one that does not."""
import os
import subprocess
import sys
import tempfile

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
GOOD = '''
[[fault]]
id = "sound"
breaks = "nothing"
file = "ring/src/system.cpp"
old = "bool expensive_barrier() noexcept {"
new = "bool expensive_barrier() {"
'''
OF_KMOD = '''
[[fault]]
id = "sound"
breaks = "nothing"
file = "kmod/cursor.c"
old = "static u64 cursor_lag("
new = "static u64  cursor_lag("
kernel = "6.12-debug"
by = ["GatedTest.*", "torn_test"]
'''
PLANTED = (  # (what is changed, into what, what the report must say)
    ('id = "sound"', 'id = "sound"', "1 faults apply"),
    ("bool expensive_barrier() noexcept {\"\nnew", "no such text\"\nnew", "0 times"),
    ("bool expensive_barrier() noexcept {\"\nnew", "noexcept\"\nnew", "expected once"),
    ("breaks", "brakes", "fields are"),
    ("ring/src/system.cpp", "ring/src/none.cpp", "No such file"),
    ('id = "sound"', 'id = "sound"\nby = ["none_test"]', "no test file"),
    ('id = "sound"', 'id = "sound"\nkernel = "6.12"', "fields are"),
    (GOOD, OF_KMOD, "1 faults apply"),
    (GOOD, OF_KMOD.replace("GatedTest", "NoneTest"), "no suite NoneTest"),
    ("", GOOD, "twice"),
)


def main():
    wrong = 0
    for old, new, expected in PLANTED:
        text = GOOD.replace(old, new, 1) if old else GOOD + new
        with tempfile.TemporaryDirectory() as folder:
            for name, faults in (("ring", text), ("kmod", "fault = []")):
                with open(os.path.join(folder, name + ".toml"), "w", encoding="utf-8") as data:
                    data.write(faults)
            done = subprocess.run([sys.executable, RUN, "--check", "--data", folder],
                                  capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        is_right = expected in said and (done.returncode == 0) == expected.endswith("apply")
        if not is_right or "Traceback" in said:
            wrong += 1
            print(f"expected {expected!r} of\n{text}\nfound status {done.returncode}:\n{said}")
    print(f"{len(PLANTED)} cases, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
