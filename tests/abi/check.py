#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the ABI as programs in C and in C++ print it with the table of its version.

usage: check.py layout TABLE ABI_H PROGRAM...
       check.py compilers TABLE ABI_H COMPILER...
layout     runs the programs: each prints the table; no field is forgotten, none is padded.
compilers  builds both programs with each compiler that is there and does the same; abi.h
           alone is also compiled for 32 bits where the compiler can.
A change on purpose: raise the minor or the major version in abi.h, say so in ring/CHANGELOG.md,
and put what print_c prints into the table (a major version gets a table of its own).
"""
import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PEDANTIC = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
LANGUAGES = (  # (suffix of the compiler's name, source, standards)
    (False, "print_c.c", ("c11", "c17")),
    (True, "print_cpp.cpp", ("c++17", "c++20")),
)
NOT_LISTED = {"EVRING_ASSERT", "EVRING_OFFSETOF"}  # they check this very table


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}\n{done.stderr[:2000]}")
    return done.stdout


def compare(table, path, who, printed):
    """A fault for a difference between the table and what `who` printed."""
    lines = difflib.unified_diff(table.splitlines(), printed.splitlines(), path, who, "", "", 1, "")
    return ["\n".join(lines)] if table != printed else []


def find_holes(table):
    """Each structure is its listed fields, one after another, with nothing between or behind."""
    faults = []
    for name, size, body in re.findall(r"^struct (\w+) (\d+)\n((?:  .*\n)*)", table, re.M):
        end = 0
        for field, offset, size_bytes in re.findall(r"  (\w+) (\d+) (\d+)\n", body):
            if int(offset) != end:
                faults.append(f"struct {name}: bytes {end} to {offset}, before {field}, are not listed")
            end = int(offset) + int(size_bytes)
        if end != int(size):
            faults.append(f"struct {name}: bytes {end} to {size}, its last, are not listed")
    return faults


def find_forgotten(table, header):
    """Each structure, enumerator, macro and function of the header has a line in the table."""
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    names = set(re.findall(r"^struct (\w+) \{", code, re.M))
    names |= set(re.findall(r"^\s*#\s*define\s+(EVRING_\w+)", code, re.M))
    names |= set(re.findall(r"^\s+(EVRING_\w+)\s*=", code, re.M))
    names |= set(re.findall(r"^static inline \w+ (\w+)\(", code, re.M))
    known = set(re.findall(r"\w+", table)) | NOT_LISTED
    if not any(name.startswith("EVRING_IOC_") for name in names):
        return ["no ioctl found in the header: the patterns in find_forgotten() need care"]
    return [f"{name} is in abi.h, and not in layout.inc" for name in sorted(names - known)]


def check_layout(arguments, table, header):
    faults = find_holes(table) + find_forgotten(table, header)
    for program in arguments.tools:
        faults += compare(table, arguments.table, program, output_of(program))
    return faults, f"{len(arguments.tools)} programs"


def compile_for_32_bits(compiler, abi_h):
    """Runs the header's own assertions where a __u64 is aligned to 4; None: cannot compile so."""
    flags = [compiler, "-m32", "-fsyntax-only", "-x", "c", "-std=c11", *PEDANTIC]
    flags += ["-idirafter", "/usr/include/x86_64-linux-gnu", os.devnull]
    probe = subprocess.run([*flags, "-include", "linux/ioctl.h", "-include", "linux/types.h"],
                           capture_output=True, check=False)
    return None if probe.returncode != 0 else output_of(*flags, "-include", abi_h)


def check_compilers(arguments, table, _header):
    include = "-I" + os.path.dirname(os.path.dirname(arguments.abi_h))
    faults, built = [], []
    compilers = [c for c in dict.fromkeys(arguments.tools) if shutil.which(c)]
    with tempfile.TemporaryDirectory(prefix="evring-abi-") as folder:
        program = os.path.join(folder, "print")
        for compiler in compilers:
            for is_cpp, source, standards in LANGUAGES:
                if is_cpp != ("++" in os.path.basename(compiler)):
                    continue
                for standard in standards:
                    output_of(compiler, f"-std={standard}", *PEDANTIC, include,
                              os.path.join(HERE, source), "-o", program)
                    faults += compare(table, arguments.table, f"{compiler} -std={standard}",
                                      output_of(program))
                    built.append(f"{os.path.basename(compiler)} {standard}")
                if not is_cpp and compile_for_32_bits(compiler, arguments.abi_h) is not None:
                    built.append(f"{os.path.basename(compiler)} -m32")
    if not built:
        faults.append("none of the compilers is there: " + " ".join(arguments.tools))
    return faults, ", ".join(built)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("check", choices=("layout", "compilers"))
    parser.add_argument("table")
    parser.add_argument("abi_h")
    parser.add_argument("tools", nargs="+")
    arguments = parser.parse_args()
    with open(arguments.table, encoding="utf-8") as file:
        table = file.read()
    with open(arguments.abi_h, encoding="utf-8") as file:
        header = file.read()
    check = check_layout if arguments.check == "layout" else check_compilers
    try:
        faults, what = check(arguments, table, header)
    except RuntimeError as error:
        faults, what = [str(error)], ""
    print("\n".join(faults) or f"{what}: as {os.path.basename(arguments.table)} says")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
