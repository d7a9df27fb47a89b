# SPDX-License-Identifier: Apache-2.0
"""Shared by the style tests: which files the tree has, and TAP output."""
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
C_LIKE = {".c", ".h", ".S"}


def files(suffixes=None, under=""):
    """Files git knows or would add, as paths relative to the top, that exist and are no links."""
    r = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", under or "."], cwd=TOP,
                       capture_output=True, text=True)
    if r.returncode:
        names = [str(p.relative_to(TOP)) for p in TOP.rglob("*")
                 if not any(x.startswith((".git", "build")) for x in p.relative_to(TOP).parts[:1])]
    else:
        names = r.stdout.splitlines()
    paths = [Path(n) for n in sorted(set(names))]
    return [p for p in paths if (TOP / p).is_file() and not (TOP / p).is_symlink()
            and (suffixes is None or p.suffix in suffixes)]


def text(path):
    return (TOP / path).read_text(errors="replace")


class Tap:
    """One result per rule; what breaks it is printed above."""

    def __init__(self):
        self.count = self.bad = 0

    def rule(self, name, problems):
        self.count += 1
        for p in problems:
            print(f"# {p}")
        self.bad += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}", flush=True)

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}")

    def finish(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.bad else 0)
