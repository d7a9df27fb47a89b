#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 1800
# needs: clang-14
"""clang's static analyser finds nothing in the compiled C files.

A finding that is wrong is answered in ACCEPTED with its reason. Results are kept in the build folder by the
hash of the preprocessed file, so that only what changed is analysed again.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tree import TOP, Tap

CHECKS = ["-Xclang", "-analyzer-output=text", "-Xclang", "-analyzer-checker=core,deadcode,nullability,security.FloatLoopCounter,"
          "security.insecureAPI.UncheckedReturn,unix,alpha.unix.cstring.OutOfBounds"]
# (file, part of the message): why it is not a bug
ACCEPTED = {}


def jobs(build):
    seen = {}
    for c in json.loads((build / "compile_commands.json").read_text()):
        src = Path(os.path.normpath(os.path.join(c["directory"], c["file"])))
        if src.suffix != ".c" or not src.is_relative_to(TOP) or src.is_relative_to(build) \
                or src.is_relative_to(TOP / "tests"):
            continue
        name = str(src.relative_to(TOP))
        # The product's own compilation goes before that of a test.
        if name not in seen or "sanitize" in seen[name][1]:
            seen[name] = (c["directory"], c["command"])
    return seen


def analyse(item, cache):
    name, (folder, command) = item
    args, skip = [], False
    for a in shlex.split(command)[1:]:
        if skip:
            skip = False
        elif a in ("-o", "-MF", "-MQ", "-MT"):
            skip = True
        elif a in ("-c", "-MD", "-Werror") or a.startswith(("-fsanitize", "-fno-sanitize", "-fmacro-prefix", "-fstack-usage",
                                                         "-W", "-O")):
            continue
        else:
            args.append(a)
    pre = subprocess.run(["clang-14", "-w", "-E"] + args, cwd=folder, capture_output=True)
    if pre.returncode:
        return name, ["does not preprocess with clang: " + pre.stderr.decode(errors="replace").strip().splitlines()[0]]
    key = cache / hashlib.sha256(pre.stdout + repr(CHECKS).encode()).hexdigest()
    if key.exists():
        return name, json.loads(key.read_text())
    r = subprocess.run(["clang-14", "--analyze", "-w"] + CHECKS + args + ["-o", "/dev/null"], cwd=folder,
                       capture_output=True, text=True, errors="replace")
    found = []
    for line in r.stderr.splitlines():
        m = re.match(r"(\S+?):(\d+):\d+: (warning|error): (.*)", line)
        if m:
            where = os.path.relpath(os.path.normpath(os.path.join(folder, m.group(1))), TOP)
            if not any(where == f and part in m.group(4) for f, part in ACCEPTED):
                found.append(f"{where}:{m.group(2)}: {m.group(4)}")
    key.write_text(json.dumps(found))
    return name, found


def main():
    build = Path(os.environ.get("BUILD", TOP / "build"))
    if not (build / "compile_commands.json").exists():
        print("no compile_commands.json: configure first")
        sys.exit(77)
    cache = build / "analyze"
    cache.mkdir(exist_ok=True)
    tap = Tap()
    work = sorted(jobs(build).items())
    found = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, messages in pool.map(lambda i: analyse(i, cache), work):
            found += [m for m in messages if m not in found]
    tap.rule(f"clang's analyser finds nothing in {len(work)} files", found)
    tap.finish()


main()
