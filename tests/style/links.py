#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents speak of files that exist: relative links, and paths in backquotes."""
import re
from pathlib import Path

from tree import TOP, Tap, files, text

ROOTS = ("hv/", "vtx/", "partitions/", "policy/", "vhd/", "ui/", "installer/", "tests/", "tools/", "docs/", ".ci/", "./")
# Made by the build or the tests, or a pattern.
MADE = re.compile(r"[*<>{}…]|^(build|out)/|/NNN")


def main():
    tap = Tap()
    links, paths, anchors = [], [], []
    for path in files({".md"}):
        body = re.sub(r"^(```.*?^```|    .*?$)", "", text(path), flags=re.S | re.M)
        for target in re.findall(r"\]\(([^)\s]+)\)", body):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            real = TOP / path.parent / name if name else TOP / path
            if not real.exists():
                links.append(f"{path}: {target}")
            elif anchor and real.suffix == ".md":
                heads = {re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-")
                         for h in re.findall(r"^#+ (.*)$", real.read_text(), re.M)}
                if anchor not in heads:
                    anchors.append(f"{path}: {target}")
        for name in re.findall(r"`([\w./-]+)`", body):
            if name.startswith(ROOTS) and not MADE.search(name):
                spot = TOP / name.rstrip("/")
                if not spot.exists() and not (TOP / path.parent / name).exists():
                    paths.append(f"{path}: {name}")
    tap.rule("relative links lead to files", links)
    tap.rule("anchors lead to headings", anchors)
    tap.rule("paths in backquotes exist", paths)
    tap.finish()


main()
