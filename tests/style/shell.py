#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No boot entry of the product carries the word that starts a root shell in the control partition."""
import re

from tree import Tap, files, text

WORD = re.compile(r"bulkhead\.shell|\bshell\.WORD")
MAY = {"bench", "partitions/images/control/init.c", "tools/laptop/shell.py"}


def main():
    found = [path for path in files() if str(path) not in MAY and path.parts[0] not in ("docs", "tests")
             and path.suffix not in (".png", ".img", ".bin", ".elf") and WORD.search(text(path))]
    tap = Tap()
    tap.rule("the word of the test shell is in the test boots only", found)
    tap.finish()


main()
