#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
"""Who may include whom: layers of root mode, the seam to vtx/ and svm/, hv/abi as all that others see, no cycles,
and each header compiles alone."""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

from tree import C_LIKE, TOP, Tap, files, text

# A file includes its own layer and lower ones.
LAYER = {"hv/abi": 0, "hv/lib": 1, "hv/dbg": 2, "hv/cpu": 2, "hv/mem": 3, "hv/acpi": 4, "hv/irq": 4, "hv/iommu": 5,
         "hv/part": 6, "hv/boot": 7}
BACKENDS = ("vtx", "svm")
BACKEND_SEES = 6  # it implements hv/part/backend.h and calls the handlers of hv/part; never the start
# Areas outside root mode: what each may include besides itself and hv/abi.
SEES = {
    "partitions/kmod": [],
    "partitions/boot": [],
    "partitions/virtio": [],
    "partitions/vhost": ["partitions/virtio"],
    "partitions/devices": ["partitions/virtio", "partitions/vhost", "partitions/kmod", "vhd", "ui/proto"],
    "partitions/runner": ["partitions/virtio", "partitions/vhost", "partitions/kmod", "partitions/boot"],
    "partitions/manager": ["partitions/kmod", "partitions/runner/exit_code.h", "ui/proto", "vhd/io",
                           "policy/lang/text.h", "policy/io"],
    "partitions/guestlib": [],
    "partitions/bare": ["partitions/guestlib", "partitions/boot", "partitions/runner"],
    "partitions/loader": ["partitions/guestlib", "partitions/boot"],
    "policy/io": [],
    "policy/lang": ["policy/io"],
    "policy/table": ["policy/io"],
    "policy/audit": ["policy/io"],
    "policy/check": ["policy/lang"],
    "policy/sign": ["policy/lang", "policy/io"],
    "policy/compile": ["policy/lang", "policy/check", "policy/table"],
    "policy/load": ["policy"],
    "policy/tool": ["policy"],
    "vhd": [],
    "ui": [],
    "tests/bench": ["partitions/guestlib"],
}
# What daemons of any area read of a policy, and where they record what came of it.
DAEMONS = ("partitions", "ui")
DAEMONS_SEE = ["policy/table/table.h", "policy/audit/audit.h"]


def root_of(path):
    """('hv', layer), ('vtx', ...), ('svm', ...), or (area, None) for a path relative to the top."""
    parts = path.parts
    if parts[0] == "hv":
        return "hv", LAYER.get("/".join(parts[:2]))
    if parts[0] in BACKENDS:
        return parts[0], None
    for depth in (2, 1):
        name = "/".join(parts[:depth])
        if name in SEES:
            return name, None
    return parts[0], None


def sees(area):
    return SEES.get(area, []) + (DAEMONS_SEE if area.split("/")[0] in DAEMONS else [])


def include_dirs():
    """-I of every compiled file, per folder of the tree, from the build's own record."""
    build = Path(os.environ.get("BUILD", TOP / "build"))
    dirs, flags = {}, {}
    try:
        commands = json.loads((build / "compile_commands.json").read_text())
    except (OSError, ValueError):
        return dirs, flags
    for c in commands:
        src = Path(os.path.normpath(os.path.join(c["directory"], c["file"])))
        if not src.is_relative_to(TOP) or src.is_relative_to(TOP / "tests"):
            continue
        folder = src.relative_to(TOP).parent
        for arg in shlex.split(c["command"]):
            if arg.startswith("-I"):
                d = os.path.normpath(os.path.join(c["directory"], arg[2:]))
                mine = dirs.setdefault(folder, [])
                if d not in mine:
                    mine.append(d)
            elif arg.startswith(("-D", "-isystem")):
                flags.setdefault(folder, set()).add(arg)
    return dirs, flags


def main():
    tap = Tap()
    dirs, flags = include_dirs()
    tree = [f for f in files(C_LIKE) if f.parts[0] != "tests"]
    known = set(tree)
    graph, upward, crossing, abi = {}, [], [], []

    def resolve(path, name):
        for d in [TOP / path.parent, TOP / "hv", TOP, TOP / "partitions"] + [Path(d) for d in dirs.get(path.parent, [])]:
            p = Path(os.path.normpath(d / name))
            if p.is_relative_to(TOP) and p.relative_to(TOP) in known:
                return p.relative_to(TOP)
        return None

    for path in tree:
        own, layer = root_of(path)
        for quote, name in re.findall(r'^\s*#\s*include\s+(["<])([^">]+)[">]', text(path), re.M):
            to = resolve(path, name)
            if to is None:
                continue
            graph.setdefault(path, set()).add(to)
            other, other_layer = root_of(to)
            edge = f"{path} includes {to}"
            if own == "hv":
                if other != "hv":
                    crossing.append(edge)
                elif layer is None or other_layer is None:
                    upward.append(f"{edge}: a folder without a layer in tests/style/includes.py")
                elif other_layer > layer:
                    upward.append(f"{edge}: layer {other_layer} from layer {layer}")
            elif own in BACKENDS:
                if other == "hv" and (other_layer is None or other_layer > BACKEND_SEES):
                    upward.append(f"{edge}: {own} sees layers up to {BACKEND_SEES}")
                elif other not in ("hv", own):
                    crossing.append(edge)
            elif other in BACKENDS or other == "hv" and other_layer != 0:
                abi.append(f"{edge}: only hv/abi is for others")
            elif own == "hv/abi" or other not in ("hv", own) and not any(to.is_relative_to(s) for s in sees(own)):
                crossing.append(edge)
    tap.rule("layers of hv/ include downwards only", upward)
    tap.rule("hv/ never includes vtx/ or svm/, no area includes a foreign one", crossing)
    tap.rule("all but root mode see hv/abi only", abi)
    tap.rule("hv/abi includes nothing but itself",
             [f"{p} includes {t}" for p in graph if p.is_relative_to("hv/abi") for t in graph[p]
              if not t.is_relative_to("hv/abi")])

    cycles, state = [], {}

    def visit(node, trail):
        state[node] = 1
        for to in sorted(graph.get(node, ())):
            if state.get(to) == 1:
                cycles.append(" -> ".join(map(str, trail[trail.index(to):] + [to])))
            elif to not in state:
                visit(to, trail + [to])
        state[node] = 2

    for node in sorted(graph):
        if node not in state:
            visit(node, [node])
    tap.rule("no include cycles", cycles)

    def alone(path):
        root = path.parts[0] in ("hv", *BACKENDS)
        args = ["gcc", "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-x", "c",
                "-I", str(TOP / "hv"), "-I", str(TOP), "-I", str(TOP / "partitions")]
        args += ["-ffreestanding", "-mgeneral-regs-only", "-DBH_LOG_LEVEL=2"] if root else ["-D_GNU_SOURCE"]
        near = [d for f, ds in dirs.items() if f == path.parent or f.parts[:2] == path.parts[:2] for d in ds]
        for d in dict.fromkeys(near):
            args += ["-I", d]
        code = f'#include "{TOP / path}"\n'
        r = subprocess.run(args + ["-"], input=code, capture_output=True, text=True)
        if not r.returncode:
            return None
        errors = [line for line in r.stderr.splitlines() if "error:" in line] or ["does not compile"]
        return f"{path}: {errors[0].split('error:')[-1].strip()[:160]}"

    headers = [p for p in tree if p.suffix == ".h"
               # needs a kernel's tree:
               and (p.parent != Path("partitions/kmod") or p.name == "bulkhead.h")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        tap.rule("each header compiles alone", [m for m in pool.map(alone, headers) if m])
    tap.finish()


main()
