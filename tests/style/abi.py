#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SPEC-abi.md and the table of SPEC-policy.md say what the headers say: sizes, offsets, values, and nothing left out.

Headings with `struct x` (N bytes) open tables with the columns offset, size, field; any table row whose first cell is
a number and whose second is a name in backquotes states a constant. The numbers are asked of the compiler. Structures
are to be without hidden padding: their fields, added up, are their size.
"""
import re
import subprocess
import tempfile
from pathlib import Path

from tree import TOP, Tap, text

ABI = sorted(str(p.relative_to(TOP)) for p in (TOP / "hv/abi").glob("*.h")) + ["partitions/kmod/bulkhead.h"]
# Document, its section (None: all), headers of which it leaves nothing out, headers of which it leaves no enum out, and
# what of them is not part of the binary interface.
DOCUMENTS = [
    ("docs/SPEC-abi.md", None, ABI, [], r"^(BH_ABI_.*_H|BH_ABI_ASSERT|BULKHEAD_UAPI_H)$|_H$"),
    ("docs/SPEC-policy.md", "## Table", ["policy/table/table.h"], ["policy/lang/text.h"],
     # what only programs know: opened tables and questions; what only texts have: statements, assertions, limits
     r"_H$|^struct (table|table_query|table_answer)$|^TEXT_(POLICY|ROLE|ZONE|GROUP|CARRIES|PARTITION|VALUE|RULE|MAY|ASSERT"
     r"|CONFIRM|IOMMU|OPEN|NEVER|ONLY|ALWAYS|LIMIT_\w+)$"),
]


def ask(headers, expressions):
    """Values of C expressions, from one program."""
    lines = "".join(f'printf("%llu\\n", (unsigned long long)({e}));\n' for e in expressions)
    code = "#include <stddef.h>\n#include <stdio.h>\n" + "".join(f'#include "{h}"\n' for h in headers) + \
        "int main(void) {\n" + lines + "return 0; }\n"
    with tempfile.TemporaryDirectory() as tmp:
        exe = Path(tmp) / "ask"
        r = subprocess.run(["gcc", "-w", "-I", str(TOP), "-I", str(TOP / "hv"), "-x", "c", "-", "-o", str(exe)],
                           input=code, capture_output=True, text=True)
        if r.returncode:
            print("\n".join("# " + s for s in r.stderr.splitlines()[:20]))
            return None
        return [int(s) for s in subprocess.run([str(exe)], capture_output=True, text=True).stdout.split()]


def section_of(name, section):
    """Lines of a document with their numbers."""
    lines, inside = [], section is None
    for number, line in enumerate(text(name).splitlines(), 1):
        if section and line.startswith("## "):
            inside = line == section
        if inside:
            lines.append((number, line))
    return lines


def compare(tap, spec, section, headers, enums, left_out):
    struct, stated = None, []
    rows = {}
    lines = section_of(spec, section)
    for number, line in lines:
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
    real = ask(headers + enums, [e for e, _, _ in stated])
    if real is None:
        tap.rule(f"what {spec} names exists in the headers", ["does not compile, see above"])
        return
    tap.rule(f"sizes, offsets and values of {spec} are those of the headers",
             [f"{spec}:{n}: {e} is {r} ({r:#x}), not {v}" for (e, v, n), r in zip(stated, real) if r != v])
    sums = {name: sum(v for e, v, _ in stated if e.startswith(f"sizeof(((struct {name} *)")) for name in rows}
    tap.rule(f"structures of {spec} have no hidden padding",
             [f"struct {name}: {sums[name]} bytes in fields" for name in rows
              if (f"sizeof(struct {name})", sums[name]) not in [(e, v) for e, v, _ in stated]])
    document = "\n".join(line for _, line in lines)
    named = {e for e, _, _ in stated}
    absent = []
    for header in headers + enums:
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", text(header), flags=re.S)
        for name in re.findall(r"^#define (\w+)\s+\S", code, re.M):
            if header in headers and not re.search(left_out, name) and f"`{name}`" not in document:
                absent.append(f"{header}: {name}")
        for body in re.findall(r"\benum \w+\s*\{(.*?)\}", code, re.S):
            absent += [f"{header}: {n}" for n in re.findall(r"\b([A-Z][A-Z0-9_]+)\b\s*(?:=|,|$)", body)
                       if n not in named and f"`{n}`" not in document and not re.search(left_out, n)]
        for name, body in re.findall(r"\bstruct (\w+)\s*\{(.*?)\n\};", code, re.S):
            if header not in headers or re.search(left_out, f"struct {name}"):
                continue
            if name not in rows:
                absent.append(f"{header}: struct {name}")
                continue
            for decl in body.split(";"):
                m = re.match(r"\s*(?:struct )?\w+\s+(.+)$", decl.strip(), re.S)
                for field in re.findall(r"(\w+)(?:\[[^\]]*\])*\s*(?:,|$)", m.group(1)) if m else []:
                    if field not in rows[name]:
                        absent.append(f"{header}: {name}.{field}")
    tap.rule(f"{spec} leaves nothing out", absent)


def compare_words(tap):
    """The words of kinds and their types are those of the language, in its order."""
    code = text("policy/lang/words.c")
    words = {name: re.findall(r'"([^"]+)"', rest) for name, rest in
             re.findall(r'WORDS_OF\((\w+), "[^"]*",(.*?)\);', code, re.S)}
    bad, kinds = [], []
    for number, line in section_of("docs/SPEC-policy.md", "## Table"):
        kind = re.match(r"\| (\d+) \| `TEXT_\w+` \| ([a-z]+) \| ([a-z ]*)\|$", line)
        if kind:
            kinds.append(kind.group(2))
            if kind.group(3).split() != words.get(kind.group(2), []):
                bad.append(f"docs/SPEC-policy.md:{number}: types of {kind.group(2)}")
    if kinds != words["kind"]:
        bad.append("docs/SPEC-policy.md: kinds")
    tap.rule("docs/SPEC-policy.md has the words of the language", bad)


def main():
    tap = Tap()
    for document in DOCUMENTS:
        compare(tap, *document)
    compare_words(tap)
    tap.finish()


main()
