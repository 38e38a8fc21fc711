#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that each check of check.py passes a clean tree and reports one planted fault."""
import os
import subprocess
import sys
import tempfile

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check.py")

CLEAN = {
    "README.md": "An event ring.\n",
    "ring/PROTOCOL.md": "| producer | consumer |\n|---|---|\n| P1 | C1 |\n",
    "ring/include/evring/abi.h":
        "/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */\n"
        "/* The layout. */\n",
    "ring/include/evring/ring.hpp":
        "// SPDX-License-Identifier: MIT\n// The ring.\n#include \"evring/abi.h\"\n"
        "// (P1) Payload before READY, or old words look new. Pairs with (C1).\n"
        "store_release(stamp, 1);\n"
        "// (C1) The stamp before the payload. Pairs with (P1).\nload_acquire(stamp);\n"
        "asm volatile(\"\" ::: \"memory\");  // not volatile data\n",
    "kmod/device.c":
        "// SPDX-License-Identifier: GPL-2.0-only\n/* A device. */\n#include <evring/abi.h>\n",
    "kmod/producer.h":
        "/* SPDX-License-Identifier: GPL-2.0-only */\n/* Publishes. */\n#include \"ring.h\"\n",
    "kmod/ring.h": "/* SPDX-License-Identifier: GPL-2.0-only */\n/* Memory. */\n",
    "kmod/driver.h": "/* SPDX-License-Identifier: GPL-2.0-only */\n/* For drivers. */\n",
    "kmod/source/soft.c":
        "// SPDX-License-Identifier: GPL-2.0-only\n/* Injects. */\n#include \"../driver.h\"\n",
    "poller/poller.cpp":
        "// SPDX-License-Identifier: MIT\n// Polls.\n#include \"evring/ring.hpp\"\n",
    "poller/src/tool/stop.hpp": "// SPDX-License-Identifier: MIT\n// Stops.\n",
    "poller/src/cli/list.hpp":
        "// SPDX-License-Identifier: MIT\n// Lists.\n#include \"tool/stop.hpp\"\n",
    "bench/bench.hpp": "// SPDX-License-Identifier: MIT\n// Measures.\n",
}

RING = "ring/include/evring/ring.hpp"
PLANTED = (  # (check, file, text appended, what the report must say)
    ("includes", RING, "#include \"../../../poller/poller.cpp\"\n", "must not include poller"),
    ("includes", "kmod/device.c", "#include <evring/ring.hpp>\n", "kmod/ must not include ring"),
    ("includes", "poller/poller.cpp", "#include \"bench/bench.hpp\"\n", "must not include bench"),
    ("floors", "kmod/ring.h", "#include \"producer.h\"\n", "kmod/producer.h stands on a higher"),
    ("floors", "kmod/source/soft.c", "#include \"../ring.h\"\n", "kmod/ring.h stands on a higher"),
    ("floors", "kmod/attic.c", "int x;\n", "stands on no floor"),
    ("includes", "poller/src/tool/stop.hpp", "#include \"cli/list.hpp\"\n", "must not include poller/src/cli"),
    ("includes", "poller/src/daemon/main.cpp",
     "// SPDX-License-Identifier: MIT\n// Runs.\n#include \"../cli/list.hpp\"\n",
     "must not include poller/src/cli"),
    ("includes", "poller/include/evring/poller/poller.hpp",
     "// SPDX-License-Identifier: MIT\n// Polls.\n#include \"tool/stop.hpp\"\n",
     "must not include poller/src/tool"),
    ("tokens", RING, "vola" "tile int shared;\n", "no way to share"),
    ("tokens", RING, "__attribute__((no_" "sanitize(\"thread\"))) int f();\n", "silenced"),
    ("tokens", "README.md", "from deb." "debian.org\n", "registry host"),
    ("tokens", "README.md", "see /wo" "rk/notes\n", "path of one machine"),
    ("sequences", "poller/poller.cpp", "if (static_cast<std::int64_t>(head - cursor) > 0) {}\n",
     "a signed difference by hand"),
    ("toplevel", "extra/file.txt", "text\n", "top level"),
    ("headers", "poller/more.cpp", "// SPDX-License-Identifier: GPL-2.0-only\n// More.\n", "licence tag"),
    ("headers", "poller/more.cpp", "// SPDX-License-Identifier: MIT\nint x;\n", "what the file is for"),
    ("headers", "poller/poller.cpp", "int x;\n" * 600, "longer than"),
    ("ordering", RING, "// (P2) Something. Pairs with (C2).\n", "(P2) pairs with (C2)"),
    ("ordering", RING, "// (P2) Something, with no partner.\n", "(P2) does not say"),
    ("ordering", RING, "// (P2) A. Pairs with (C2).\n// end\nint x;\n// (C2) B. Pairs with (P2).\n",
     "have no row"),
    ("ordering", RING, "// As said at (P7).\n", "no access bears it"),
    ("ordering", "ring/PROTOCOL.md", "| P9 | C1 |\n", "(P9) has a row"),
    ("barriers", "kmod/device.c", "int x;\n" * 20 + "smp_wmb();\n", "without its letter"),
)


def run(check, files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([sys.executable, CHECK, "--root", root, check],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def main():
    failures = 0
    for check in sorted({p[0] for p in PLANTED}):
        status, said = run(check, CLEAN)
        if status != 0:
            failures += 1
            print(f"{check}: reports a clean tree:\n{said}")
    for check, path, text, expected in PLANTED:
        status, said = run(check, CLEAN | {path: CLEAN.get(path, "") + text})
        if status != 1 or expected not in said:
            failures += 1
            print(f"{check}: overlooks in {path}: {text[:60]!r}\nsaid: {said}")
    print(f"{len(PLANTED)} planted faults, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
