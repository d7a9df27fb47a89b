#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each source file names its licence in its first lines: GPL-2.0-only for the kernel module, else Apache-2.0;
and says what it owns in a head comment."""
import re
from pathlib import Path

from tree import TOP, Tap, files, text

SOURCE = {".c", ".h", ".S", ".py", ".sh", ".build", ".ld", ".lds"}
NAMES = {"meson.build", "meson_options.txt", "Kbuild", "Makefile"}


def is_source(path):
    if path.parts[:2] in (("tests", "golden"), ("tests", "fuzz")) and path.suffix not in SOURCE:
        return False
    return path.suffix in SOURCE or path.name in NAMES or text(path)[:2] == "#!"


def is_module(path):
    if path.parts[0] == "tests":  # built into the module by its test
        return path.suffix == ".c" and "#include <linux/" in text(path) and path.parts[1] == "kmod" and path.name != "main.c"
    return path.parent == Path("partitions/kmod") and (path.suffix == ".c" or path.name in ("Kbuild", "Makefile")
                                                       or path.suffix == ".h" and path.name != "bulkhead.h")


def main():
    tap = Tap()
    missing, wrong, headless = [], [], []
    for path in files():
        if path.suffix in (".png", ".img", ".bin", ".elf") or not is_source(path):
            continue
        head = "\n".join(text(path).splitlines()[:3])
        m = re.search(r"SPDX-License-Identifier: (\S+)", head)
        if not m:
            missing.append(path)
        elif m.group(1) != ("GPL-2.0-only" if is_module(path) else "Apache-2.0"):
            wrong.append(f"{path}: {m.group(1)}")
        if path.suffix in (".c", ".h", ".S"):
            after = text(path).split("\n", 1)[-1].lstrip()
            if not after.startswith(("/*", "//", "#ifndef", "#pragma once")):
                headless.append(path)
    tap.rule("an SPDX line in the first three lines", missing)
    tap.rule("the licence of the folder", wrong)
    tap.rule("a head comment under the SPDX line", headless)
    tap.rule("licence texts are there", [p for p in ("LICENSE", "partitions/kmod/LICENSE") if not (TOP / p).exists()])
    tap.finish()


main()
