#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/SPEC-abi.md says what the headers say: sizes, offsets, values, and nothing left out.

Headings `struct x` (N bytes) open tables with the columns offset, size, field; any table row whose first cell is
a number and whose second is a name in backquotes states a constant. The numbers are asked of the compiler.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tree import TOP, Tap, text

SPEC = "docs/SPEC-abi.md"
HEADERS = sorted(str(p.relative_to(TOP)) for p in (TOP / "hv/abi").glob("*.h")) + ["partitions/kmod/bulkhead.h"]
# Not part of the binary interface.
LEFT_OUT = re.compile(r"^(BH_ABI_.*_H|BH_ABI_ASSERT|BULKHEAD_UAPI_H)$|_H$")


def ask(expressions):
    """Values of C expressions, from one program."""
    lines = "".join(f'printf("%llu\\n", (unsigned long long)({e}));\n' for e in expressions)
    code = "#include <stddef.h>\n#include <stdio.h>\n" + "".join(f'#include "{h}"\n' for h in HEADERS) + \
        "int main(void) {\n" + lines + "return 0; }\n"
    with tempfile.TemporaryDirectory() as tmp:
        exe = Path(tmp) / "ask"
        r = subprocess.run(["gcc", "-w", "-I", str(TOP), "-I", str(TOP / "hv"), "-x", "c", "-", "-o", str(exe)],
                           input=code, capture_output=True, text=True)
        if r.returncode:
            print("\n".join("# " + s for s in r.stderr.splitlines()[:20]))
            return None
        return [int(s) for s in subprocess.run([str(exe)], capture_output=True, text=True).stdout.split()]


def main():
    tap = Tap()
    struct, stated = None, []
    rows = {}
    for number, line in enumerate(text(SPEC).splitlines(), 1):
        head = re.match(r"#+ .*`struct (\w+)`.*?\((\d+) bytes\)", line)
        if head:
            struct = head.group(1)
            stated.append((f"sizeof(struct {struct})", int(head.group(2)), number))
            rows[struct] = set()
            continue
        if line.startswith("#"):
            struct = None
        cells = [c.strip() for c in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if len(cells) < 2:
            continue
        field = re.match(r"`(\w+)", cells[2]) if len(cells) > 2 else None
        if struct and re.fullmatch(r"\d+", cells[0]) and re.fullmatch(r"\d+", cells[1]) and field:
            name = field.group(1)
            rows[struct].add(name)
            stated.append((f"offsetof(struct {struct}, {name})", int(cells[0]), number))
            stated.append((f"sizeof(((struct {struct} *)0)->{name})", int(cells[1]), number))
        else:
            const = re.fullmatch(r"`(\w+)`", cells[1])
            value = re.fullmatch(r"`?(0x[0-9a-f]+|\d+)`?", cells[0])
            if const and value:
                stated.append((const.group(1), int(value.group(1), 0), number))
    real = ask([e for e, _, _ in stated])
    if real is None:
        tap.rule("what the document names exists in the headers", ["does not compile, see above"])
        tap.finish()
    tap.rule("sizes, offsets and values of the document are those of the headers",
             [f"{SPEC}:{n}: {e} is {r} ({r:#x}), not {v}" for (e, v, n), r in zip(stated, real) if r != v])
    document = text(SPEC)
    named = {e for e, _, _ in stated}
    absent = []
    for header in HEADERS:
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", text(header), flags=re.S)
        for name in re.findall(r"^#define (\w+)\s+\S", code, re.M):
            if not LEFT_OUT.search(name) and f"`{name}`" not in document:
                absent.append(f"{header}: {name}")
        for body in re.findall(r"\benum \w+\s*\{(.*?)\}", code, re.S):
            absent += [f"{header}: {n}" for n in re.findall(r"\b([A-Z][A-Z0-9_]+)\b\s*(?:=|,|$)", body)
                       if n not in named and f"`{n}`" not in document]
        for name, body in re.findall(r"\bstruct (\w+)\s*\{(.*?)\n\};", code, re.S):
            if name not in rows:
                absent.append(f"{header}: struct {name}")
                continue
            for decl in body.split(";"):
                m = re.match(r"\s*(?:struct )?\w+\s+(.+)$", decl.strip(), re.S)
                for field in re.findall(r"(\w+)(?:\[[^\]]*\])*\s*(?:,|$)", m.group(1)) if m else []:
                    if field not in rows[name]:
                        absent.append(f"{header}: {name}.{field}")
    tap.rule("the document leaves nothing out", absent)
    tap.finish()


if not (TOP / SPEC).exists():
    print(f"no {SPEC}")
    sys.exit(77)
main()
