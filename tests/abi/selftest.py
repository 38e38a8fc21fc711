#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes the ABI by accident, in a copy of abi.h, and expects check.py to see each change.

usage: selftest.py TABLE ABI_H COMPILER
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE, ABI_H, COMPILER = sys.argv[1:]
ACCIDENTS = (  # (what happened, text in abi.h, what became of it, what the check must name)
    ("a field is put in between", "\t__u64 rate_hz;\t\t/*", "\t__u32 was_rate;\n\t__u64 rate_hz;\t\t/*", ""),
    ("a reserved field is used in silence", "\t__u32 batch_count;\n\t__u32 reserved0;\n};",
     "\t__u32 batch_count;\n\t__u32 burst_count;\n};", "reserved0"),
    ("an ioctl gets another number", "EVRING_IOC_TYPE, 0x15,", "EVRING_IOC_TYPE, 0x17,", "EVRING_IOC_ARM"),
    ("an ioctl writes where it read", "_IOW(EVRING_IOC_TYPE, 0x14,", "_IOWR(EVRING_IOC_TYPE, 0x14,",
     "EVRING_IOC_SET_RATE"),
    ("a constant is new", "#define EVRING_LAYOUT_MINOR",
     "#define EVRING_LAYOUT_MICRO 1\n#define EVRING_LAYOUT_MINOR", "EVRING_LAYOUT_MICRO"),
    ("a structure is new", "struct evring_rate {", "struct evring_pace {\n\t__u64 hz;\n};\nstruct evring_rate {",
     "evring_pace"),
    ("an enumerator changes", "EVRING_MODE_GATED = 1,", "EVRING_MODE_GATED = 2,", "EVRING_MODE_GATED"),
    ("a stamp is cut to 32 bits", "#define EVRING_STAMP_BUSY(sequence)	((__u64)(sequence) << 1)",
     "#define EVRING_STAMP_BUSY(sequence)	((__u32)(sequence) << 1)", "EVRING_STAMP_BUSY"),
    ("nothing", "", "", None),
)


def seen(header):
    """What check.py says about this header: its status and its output."""
    with tempfile.TemporaryDirectory(prefix="evring-abi-") as folder:
        os.mkdir(os.path.join(folder, "evring"))
        path, program = os.path.join(folder, "evring", "abi.h"), os.path.join(folder, "print")
        with open(path, "w", encoding="utf-8") as file:
            file.write(header)
        built = subprocess.run([COMPILER, "-I" + folder, os.path.join(HERE, "print_c.c"), "-o", program],
                               capture_output=True, text=True, check=False)
        if built.returncode != 0:
            return 1, built.stderr
        done = subprocess.run([sys.executable, os.path.join(HERE, "check.py"), "layout", TABLE, path, program],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


def main():
    with open(ABI_H, encoding="utf-8") as file:
        header = file.read()
    failed = 0
    for what, before, after, named in ACCIDENTS:
        assert before in header, f"{what}: abi.h has no {before!r}"
        status, output = seen(header.replace(before, after, 1))
        as_expected = status == 0 if named is None else status == 1 and named in output
        print(f"{'ok' if as_expected else 'FAILED'}: {what}: {'seen' if status else 'clean'}")
        if not as_expected:
            print(output)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
