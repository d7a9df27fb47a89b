# SPDX-License-Identifier: Apache-2.0
"""Shared by the style tests: which files the tree has, and TAP output."""
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests"))
import tap  # noqa: E402

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


class Tap(tap.Tap):
    """One result per rule, with what breaks it."""

    def rule(self, name, problems):
        self.result(not problems, name, "\n".join(map(str, problems)))

    def finish(self):
        sys.exit(super().finish())
