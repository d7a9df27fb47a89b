#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small rules of the tree: file length, unfinished work, indentation, privileged instructions in one place."""
import os
import re
import shutil
import subprocess
from pathlib import Path

from tree import C_LIKE, TOP, Tap, files, text

LINES_MAX = 700
COLUMNS_MAX = 100
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK|stub(?:bed)?|not implemented)\b")
PRIVILEGED = re.compile(
    r"\b(lgdt|lidt|lldt|ltr|lmsw|clts|rdmsr|wrmsr|invlpg|invpcid|invd|wbinvd|hlt|cli|sti|xsetbv|swapgs|"
    r"in[bwl]|out[bwl]|v?mov[lq]?\s+%+cr\d|mov[lq]?\s+[^,;]+,\s*%+cr\d|mov[lq]?\s+[^,;]+,\s*%+dr\d|"
    r"vmxon|vmxoff|vmclear|vmptrld|vmptrst|vmread|vmwrite|vmlaunch|vmresume|invept|invvpid|vmcall|"
    r"vmrun|vmload|vmsave|clgi|stgi)\b")
ASM = re.compile(r"\b(?:__asm__|asm)\b\s*(?:__volatile__|volatile|goto|inline|\s)*\(([^;]*?)\)\s*;", re.S)
INSN_HEADERS = re.compile(r"^(hv/cpu/insn\.h|vtx/(vmx_)?insn\.h|svm/insn\.h)$")


def width(line):
    return len(line.expandtabs(8))


def main():
    tap = Tap()
    long_file, marks, spaces, wide, trailing, insn, big = [], [], [], [], [], [], []
    for path in files():
        if path.suffix in (".png", ".bin", ".img", ".svg") or path.parts[:3] == ("tests", "fuzz", "corpus"):
            continue
        if (TOP / path).stat().st_size > 1 << 20:
            big.append(f"{path}: {(TOP / path).stat().st_size} bytes")
            continue
        lines = text(path).splitlines()
        source = path.suffix in C_LIKE
        if source or path.suffix in (".py", ".sh"):
            if len(lines) > LINES_MAX:
                long_file.append(f"{path}: {len(lines)} lines")
            if path != Path("tests/style/names.py"):
                marks += [f"{path}:{i}: {s.strip()[:80]}" for i, s in enumerate(lines, 1) if MARKS.search(s)]
        if not source:
            continue
        for i, s in enumerate(lines, 1):
            if re.match(r"^ {2,}[^ *]", s) and not s.endswith("\\"):
                spaces.append(f"{path}:{i}: indented by spaces")
            if s != s.rstrip():
                trailing.append(f"{path}:{i}")
            if width(s) > COLUMNS_MAX + 10 and "http" not in s:
                wide.append(f"{path}:{i}: {width(s)} columns")
        if path.parts[0] in ("hv", "vtx", "svm") and path.suffix != ".S" and not INSN_HEADERS.match(str(path)):
            for m in ASM.finditer(text(path)):
                template = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', m.group(1).split(":")[0]))
                hit = PRIVILEGED.search(template)
                if hit:
                    line = text(path)[:m.start()].count("\n") + 1
                    insn.append(f"{path}:{line}: {hit.group(0)}")
    tap.rule(f"no source file above {LINES_MAX} lines", long_file)
    tap.rule("no marks of unfinished work", marks)
    tap.rule("C is indented by tabs", spaces)
    tap.rule("no trailing blanks in C", trailing)
    tap.rule(f"C lines stay near {COLUMNS_MAX} columns (10 of grace)", wide)
    tap.rule("privileged instructions only in hv/cpu/insn.h and the VMX instruction header", insn)
    tap.rule("no file above 1 MiB in the tree", big)

    build = Path(os.environ.get("BUILD", TOP / "build")) / "compile_commands.json"
    if build.exists():
        compiled = build.read_text()
        tap.rule("each unit test and fuzz target is in the build",
                 [str(p) for p in files({".c"}, "tests") if re.match(r"tests/(unit/test|fuzz/fuzz)_", str(p))
                  and f"{p}\"" not in compiled])
        listed = re.findall(r"WARNING: (tests/\S+ is listed and missing)",
                            (build.parent / "meson-logs" / "meson-log.txt").read_text(errors="replace"))
        tap.rule("each test that an area lists is there", listed)

    tool = shutil.which("clang-format-14")
    if tool:
        drift = 0
        c = [str(p) for p in files({".c", ".h"})]
        for i in range(0, len(c), 50):
            r = subprocess.run([tool, "--dry-run"] + c[i:i + 50], cwd=TOP, capture_output=True, text=True)
            drift += len(set(re.findall(r"^(\S+?):\d+:\d+: warning", r.stderr, re.M)))
        print(f"# clang-format would touch {drift} of {len(c)} files (reported, no rule)")
    tap.finish()


main()
