# SPDX-License-Identifier: Apache-2.0
"""Progress for people, errors that say what to do, and commands that are allowed to fail loudly only."""
import contextlib
import subprocess
import sys
import time

START = time.monotonic()
quiet = False


class Failure(Exception):
    """A step that cannot go on. `hint` says what a person can do."""

    def __init__(self, what, hint=""):
        super().__init__(what)
        self.hint = hint


def say(text):
    if not quiet:
        print(f"[{time.monotonic() - START:6.1f} s] {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text):
    """Announces a long step and says how long it took."""
    say(f"{text} ...")
    begin = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - begin:.1f} s")


def command(args, hint="", cwd=None, env=None, timeout=600, stdin=None):
    """Runs a program, returns its standard output; on failure shows the end of what it said."""
    args = [str(a) for a in args]
    try:
        done = subprocess.run(args, cwd=cwd, env=env, timeout=timeout, input=stdin, capture_output=True, check=False)
    except FileNotFoundError:
        raise Failure(f"{args[0]} is not installed", "./run --install installs what packages.txt names") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"{' '.join(args[:3])} did not end within {timeout} s", hint) from None
    if done.returncode != 0:
        said = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()[-15:]
        raise Failure(f"{' '.join(args[:4])} ended with {done.returncode}:\n  " + "\n  ".join(said), hint)
    return done.stdout
