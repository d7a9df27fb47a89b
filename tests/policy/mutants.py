#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Switches off one rule of the policy compiler, the table or the gate at a time, and wants the judge to see it.

A mutant is a copy of one source file with one place changed, compiled and linked into the judge's driver as the build
does it; the tree and the build stay as they are. The check that it must fail is named (compare.py). A place that is no
longer in the source fails too: then say here where that rule went.
"""
import argparse
import concurrent.futures
import json
import multiprocessing
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import compare
import judge
from mutant_list import MUTANTS

TOP = Path(__file__).resolve().parent.parent.parent


DRIVER = ("tests/policy/policy-judge.p/", "policy/io/")  # what the driver without root mode's part is made of
GATE = ("hv/", "policy/compile/emit_root.c")  # what only root mode's own code notices


def as_built(command, source, object_):
    """The compiler command of another source, and without a file of dependencies."""
    args = [a for a in shlex.split(command) if a not in ("-Werror", "-MD")]
    for flag in ("-MQ", "-MF"):
        at = args.index(flag)
        del args[at:at + 2]
    args[args.index("-o") + 1] = str(object_)
    args[args.index("-c") + 1] = str(source)
    return args[:1] + ["-w"] + args[1:]


def bare(command, source, object_):
    """The same without sanitizers and optimization: a mutant runs for a moment."""
    args = as_built(command, source, object_)
    return [a for a in args if a != "-g" and not a.startswith(("-O", "-fsanitize", "-fno-sanitize"))] + ["-O0"]


class Builder:
    """Compiles the driver without root mode's part once, then changed copies, as build/compile_commands.json says. What root
    mode must notice is linked into the driver of the build, before the object that it takes the place of."""

    def __init__(self, build, out, jobs):
        self.build, self.out = Path(build).resolve(), Path(out).resolve()
        self.commands, self.objects = {}, {}
        for c in json.loads((self.build / "compile_commands.json").read_text()):
            if c["output"].startswith(DRIVER + ("tests/libhv_host.a.p/",)):
                self.commands[os.path.relpath(os.path.join(c["directory"], c["file"]), TOP)] = c
        r = subprocess.run(["ninja", "-C", self.build, "-t", "commands", "tests/policy/policy-judge"], capture_output=True,
                           text=True, check=True)
        self.link = shlex.split(r.stdout.splitlines()[-1])
        base = self.out / "base"
        base.mkdir(parents=True, exist_ok=True)
        no_gate = base / "no_gate.c"
        no_gate.write_text("#include <stddef.h>\nvoid judge_gate(const void *bytes, size_t size) { (void)bytes; (void)size; }\n"
                           "void judge_forget(void) {}\n")
        todo = []
        for file, c in self.commands.items():
            if c["output"].startswith(DRIVER):
                self.objects[file] = base / (file.replace("/", "_") + ".o")
                todo.append(bare(c["command"], no_gate if file.endswith("judge_gate.c") else TOP / file, self.objects[file]))
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(self.run, todo))

    def run(self, args):
        r = subprocess.run(args, cwd=self.build, capture_output=True, text=True)
        if r.returncode:
            raise RuntimeError(f"does not build: {r.stderr[-600:]}")

    def make(self, number, file, old, new):
        """Path of a driver with that change."""
        text = (TOP / file).read_text()
        if text.count(old) != 1:
            raise RuntimeError(f"{file} has this place {text.count(old)} times: {old!r}")
        folder = self.out / f"mutant-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        source, object_, driver = folder / Path(file).name, folder / "mutant.o", folder / "policy-judge"
        source.write_text(text.replace(old, new))
        c = self.commands[file]
        # Headers beside the source; those of root mode are found from its top.
        here = [] if file.startswith("hv/") else ["-I", str((TOP / file).parent)]
        if not file.startswith(GATE):
            args = bare(c["command"], source, object_)
            self.run(args[:1] + here + args[1:])
            self.run(["cc", "-o", driver] + [o for f, o in self.objects.items() if f != file] + [object_, "-lmbedcrypto"])
            return driver
        args = as_built(c["command"], source, object_)
        self.run(args[:1] + here + args[1:])
        link = [a for a in self.link if a != c["output"]]
        link[link.index("-o") + 1] = str(driver)
        link.insert(link.index(str(driver)) + 1, str(object_))
        self.run(link)
        return driver


def failed_checks(driver, batches, expected):
    """Names of the checks that fail, up to the first batch of policies where an expected one does."""
    names, how = set(), "no policy shows it"
    for cases in batches:
        try:
            answers, why = judge.ask(driver, cases)
        except subprocess.TimeoutExpired:
            return names | {"ends"}, "time limit"
        found = [] if why is None else [("ends", why)]
        for case in cases:
            try:
                found += compare.compare(case, answers.get(case.name), judge.Counter())
            except (KeyError, ValueError, IndexError, StopIteration) as e:
                found.append(("ends", f"an answer that makes no sense: {e!r}"))
        if found:
            names |= {check for check, _ in found}
            how = f"{found[0][0]}: {found[0][1][:200]}"
            if names & expected:
                break
    return names, how


def run(at):
    """In a process of its own, forked: builder, mutants and cases are there."""
    name, file, old, new, expected = STATE["mutants"][at]
    try:
        driver = STATE["builder"].make(at, file, old, new)
    except RuntimeError as e:
        return name, False, str(e)
    checks, how = failed_checks(str(driver), STATE["batches"], set(expected.split()))
    driver.unlink()
    good = bool(checks & set(expected.split()))
    return name, good, how if good else f"wanted {expected}, got {sorted(checks)}: {how}"


def make_batches(count):
    """A few at first: most mutants show at once."""
    cases, out, at = judge.cases("mutants", range(count)), [], 0
    while at < count:
        size = 40 if at < 80 else 150  # the first holds all that are directed
        out.append(cases[at:at + size])
        at += size
    for case in cases:
        if not case.world.errors:
            case.world.answers()
    return out


STATE = {}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", default=os.environ.get("BUILD", "build"))
    p.add_argument("--out", default=os.environ.get("OUT", "build/mutants"))
    p.add_argument("-n", type=int, default=2400, help="policies to try at most")
    p.add_argument("-k", default="", help="only mutants whose name contains this")
    p.add_argument("-j", type=int, default=os.cpu_count() or 2)
    p.add_argument("--first", type=int, default=1, help="begin with this one")
    p.add_argument("-v", action="store_true", help="say how each was found")
    args = p.parse_args()
    begin = time.monotonic()
    mutants = [m for m in MUTANTS[args.first - 1:] if args.k in m[0]]
    STATE.update(mutants=mutants, builder=Builder(args.build, args.out, args.j), batches=make_batches(args.n))
    failed = 0
    with concurrent.futures.ProcessPoolExecutor(args.j, multiprocessing.get_context("fork")) as pool:
        for i, (name, good, why) in enumerate(pool.map(run, range(len(mutants))), 1):
            failed += not good
            print(f"{'ok' if good else 'not ok'} {i} - {name}" + ("" if good and not args.v else f"\n# {why}"), flush=True)
    print(f"1..{len(mutants)}\n# {len(mutants) - failed} of {len(mutants)} mutants found, {time.monotonic() - begin:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
