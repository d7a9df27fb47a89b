#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commit subjects are `area: Imperative`, and the tree speaks of no machine it was written on."""
import re
import subprocess
import sys

from tree import TOP, Tap, files, text

SUBJECT = re.compile(r"^[A-Za-z0-9_./,*{} -]+: [A-Z][A-Za-z0-9_./',-]*( .*[^.])?$")
SUBJECT_MAX = 60
NOT_IMPERATIVE = re.compile(r": (Added|Adds|Adding|Fixed|Fixes|Fixing|Changed|Changes|Changing|Updated|Updates|Updating|"
                            r"Removed|Removes|Removing|Made|Makes|Making|Implemented|Implements|Implementing)\b")
# Folders of a build machine: a home with a name in it, or the folder this very clone lies in.
PATHS = re.compile(r"(?<![\w$}/.])/(home/[a-z][\w-]*|Users/\w+|work/[a-z]\w*)/")


def main():
    tap = Tap()
    r = subprocess.run(["git", "log", "--no-merges", "--format=%h%x00%s%x00%B%x01"], cwd=TOP, capture_output=True,
                       text=True, errors="replace")
    if r.returncode or not r.stdout.strip():
        print("no git history here")
        sys.exit(77)
    form, length, said = [], [], []
    for record in r.stdout.split("\x01"):
        if not record.strip():
            continue
        commit, subject, body = record.strip("\n").split("\x00", 2)
        if not SUBJECT.match(subject) or NOT_IMPERATIVE.search(subject):
            form.append(f"{commit} {subject}")
        if len(subject) > SUBJECT_MAX:
            length.append(f"{commit} {len(subject)} characters: {subject}")
        if PATHS.search(body):
            said.append(f"{commit} {PATHS.search(body).group(0)}")
    tap.rule("subjects read `area: Imperative`", form)
    tap.rule(f"subjects have at most {SUBJECT_MAX} characters", length)
    tap.rule("no machine paths in commit messages", said)
    mine = str(TOP.parent) + "/"
    hits = []
    for path in files():
        if path.suffix in (".png", ".bin", ".img"):
            continue
        for i, line in enumerate(text(path).splitlines(), 1):
            if PATHS.search(line) or len(TOP.parent.parts) > 2 and mine in line:
                hits.append(f"{path}:{i}: {line.strip()[:100]}")
    tap.rule("no machine paths in the tree", hits)
    tap.finish()


main()
