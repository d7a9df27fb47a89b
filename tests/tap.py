# SPDX-License-Identifier: Apache-2.0
"""The results of a test as TAP: a test in Python prints them through here."""


def say(text):
    """A comment, however many lines it has."""
    print("".join(f"# {line}\n" for line in str(text).splitlines()), end="", flush=True)


class Tap:
    """Results as they come, then the plan: a test that ends early has none, or one that does not fit."""

    def __init__(self):
        self.number = self.failed = 0

    def result(self, good, rule, why=""):
        """One result; why: what to know when it is a bad one. Returns whether it is a good one."""
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {rule}", flush=True)
        if not good:
            say(why)
        return bool(good)

    def skip(self, rule, why):
        self.number += 1
        print(f"ok {self.number} - {rule} # SKIP {why}", flush=True)

    def finish(self):
        """Returns the exit code of the test."""
        print(f"1..{self.number}", flush=True)
        return 1 if self.failed else 0
