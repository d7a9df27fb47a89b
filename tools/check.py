#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds, builds and runs the tests of all suites; ends with one line `N passed, N failed`.

Unit and fuzz tests come from meson, all others are executable files (tests/README.md). Light tests run in
parallel, beside them heavy ones (a whole emulated laptop), two at a time. Each has a time limit; when it is over, its
whole process group ends.
"""
import argparse
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SUITES = ["style", "unit", "golden", "fuzz", "policy", "guest", "vhd", "e2e", "e2e-vmx", "e2e-svm"]
FILE_SUITES = {"style": "*.py", "golden": "*.test", "policy": "*.test", "guest": "*.test", "vhd": "*.test", "e2e": "*.test",
               "e2e-vmx": "*.test", "e2e-svm": "*.test"}
# A suite of the whole laptop runs those of tests/e2e that name its machine: emulator, CPUs where the test does not say.
MACHINES = {"vmx": ("bochs", "1"), "svm": ("qemu", "2")}
DEFAULT_TIMEOUT = 300
SKIP = 77


class Test:
    def __init__(self, suite, name, cmd, timeout=DEFAULT_TIMEOUT, needs=(), heavy=False, env=None, target=None):
        self.suite, self.name, self.cmd = suite, name, cmd
        self.timeout, self.needs, self.heavy, self.env = timeout, list(needs), heavy, env or {}
        self.target = target
        self.passed = self.failed = self.skipped = 0
        self.seconds, self.output, self.why = 0.0, "", ""

    def missing(self):
        """The first thing this test needs and the machine lacks, or None."""
        for need in self.needs:
            if "/" in need:
                path = Path(need) if need.startswith("/") else TOP / need
                if not path.exists():
                    return need
            elif not (TOP / need).exists() and not shutil.which(need, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
                return need
        return None


class Runner:
    def __init__(self, args):
        self.args = args
        self.build = Path(args.build).resolve()
        self.out = self.build / "check"
        self.progress = sys.stderr if args.json else sys.stdout
        self.lock = threading.Lock()
        self.done = self.total = 0
        self.live = {}
        self.build_failed = 0

    def say(self, text):
        with self.lock:
            print(text, file=self.progress, flush=True)

    # -- building ---------------------------------------------------------------------------------------

    def step(self, what, cmd):
        """One build step; on failure its output is shown and it counts as a failed test."""
        begin = time.monotonic()
        self.say(f"--- {what}: {' '.join(map(str, cmd))[:150]}")
        r = subprocess.run(cmd, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           errors="replace")
        if r.returncode:
            self.say("\n".join(r.stdout.splitlines()[-60:]))
            self.say(f"FAIL {what} ({time.monotonic() - begin:.1f} s)")
        return r.returncode == 0

    def configure(self):
        done = self.build / "build.ninja"
        if done.exists():
            # ninja cannot know of an area that has just arrived.
            newest = max(p.stat().st_mtime for p in [TOP / "meson_options.txt", *TOP.glob("*/meson.build"),
                                                     *TOP.glob("*/*/meson.build"), *TOP.glob("*/*/*/meson.build")]
                         if not p.is_relative_to(self.build))
            again = ["meson", "setup", "--reconfigure", self.build, TOP]
            if self.step("configure", again if newest > done.stat().st_mtime else
                         ["ninja", "-C", self.build, "build.ninja"]):
                return True
            shutil.rmtree(self.build, ignore_errors=True)
        return self.step("configure", ["meson", "setup", self.build, TOP] + self.args.meson)

    def meson_tests(self, suite):
        r = subprocess.run(["meson", "introspect", "--tests", self.build], cwd=TOP, capture_output=True, text=True)
        if r.returncode:
            return []
        tests = []
        for t in json.loads(r.stdout):
            if not any(s.split(":")[-1] == suite for s in t["suite"]):
                continue
            exe = Path(t["cmd"][0])
            target = os.path.relpath(exe, self.build) if exe.is_absolute() else str(exe)
            env = dict(t["env"])
            env["CMOCKA_MESSAGE_OUTPUT"] = "TAP"
            tests.append(Test(suite, t["name"], t["cmd"], t["timeout"] or DEFAULT_TIMEOUT, env=env,
                              target=None if target.startswith("..") else target))
        return tests

    def file_tests(self, suite):
        tests = []
        folder, _, machine = suite.partition("-")
        for path in sorted((TOP / "tests" / folder).glob(FILE_SUITES[suite])):
            head = "\n".join(path.read_text(errors="replace").splitlines()[:30])
            declared = dict(word.partition(":")[::2] for word in
                            " ".join(re.findall(r"^# machines: *(.*)$", head, re.M)).split())
            if bool(declared) != bool(machine) or (machine and machine not in declared):
                continue
            if not os.access(path, os.X_OK):
                if path.suffix == ".test":
                    tests.append(failed_step(suite, path.stem, "not executable"))
                continue
            timeout = re.search(r"^# timeout: *(\d+)", head, re.M)
            needs = " ".join(re.findall(rf"^# needs(?:-{machine})?: *(.*)$" if machine else r"^# needs: *(.*)$", head,
                                        re.M)).split()
            heavy = re.search(r"^# heavy: *(yes|true|1)", head, re.M)
            emulator, cpus = MACHINES.get(machine, ("", ""))
            cpus = (declared.get(machine) or cpus).split(",")
            for count in cpus:
                name = path.stem + (f"-{count}cpu" if len(cpus) > 1 else "")
                tests.append(Test(suite, name, [str(path)], int(timeout.group(1)) if timeout else DEFAULT_TIMEOUT, needs,
                                  bool(heavy), env={"MACHINE": emulator, "CPUS": count} if machine else None))
        return tests

    # -- running ----------------------------------------------------------------------------------------

    def run_test(self, test, slot):
        out = self.out / test.suite / test.name
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        env = dict(os.environ, BUILD=str(self.build), OUT=str(out), TEST_NR=str(slot), **test.env)
        env.setdefault("ASAN_OPTIONS", "detect_leaks=1:strict_string_checks=1")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        limit = test.timeout * self.args.timeout_scale
        begin = time.monotonic()
        # Beside the test's folder, where it writes what it likes.
        with open(out.with_name(test.name + ".log"), "w+b") as log:
            try:
                p = subprocess.Popen(test.cmd, cwd=TOP, stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=subprocess.STDOUT, env=env, start_new_session=True)
            except OSError as e:
                test.failed, test.why = 1, str(e)
                return
            with self.lock:
                self.live[p.pid] = p
            try:
                code = p.wait(limit)
            except subprocess.TimeoutExpired:
                code = None
            # Whatever a test leaves running ends with it: first asked, then made to.
            self.end_group(p, 5 if code is None else 0.5)
            with self.lock:
                self.live.pop(p.pid, None)
            log.seek(0)
            test.output = log.read().decode(errors="replace")
        test.seconds = time.monotonic() - begin
        self.judge(test, code, limit)

    @staticmethod
    def end_group(p, grace):
        end = time.monotonic() + grace
        sig = signal.SIGTERM
        while True:
            try:
                os.killpg(p.pid, sig)
            except (ProcessLookupError, PermissionError):
                break
            if sig == signal.SIGKILL:
                break
            if time.monotonic() > end:
                sig = signal.SIGKILL
            p.poll()
            time.sleep(0.05)
        p.wait()

    @staticmethod
    def judge(test, code, limit):
        points = re.findall(r"^\s*(not ok|ok)\b(.*)$", test.output, re.M)
        lines = [line for line in test.output.splitlines() if line.strip()]
        if code == SKIP:
            test.skipped, test.why = 1, lines[-1].strip() if lines else "no reason given"
            return
        for verdict, rest in points:
            if re.search(r"#\s*skip", rest, re.I):
                test.skipped += 1
                test.why = rest.split("#", 1)[1].strip()
            elif verdict == "ok":
                test.passed += 1
            else:
                test.failed += 1
        plan = re.search(r"^1\.\.(\d+)", test.output, re.M)
        if code is None:
            test.failed += 1
            test.why = f"time limit of {limit:.0f} s"
        elif code != 0 and not test.failed:
            test.failed += 1
            test.why = f"signal {-code}" if code < 0 else f"exit code {code}"
        elif plan and points and len(points) < int(plan.group(1)):
            test.failed += 1
            test.why = f"{len(points)} of {plan.group(1)} planned results"
        elif not points and code == 0:
            test.passed = 1

    def report(self, test):
        with self.lock:
            self.done += 1
            verdict = "FAIL" if test.failed else "skip" if test.skipped and not test.passed else "pass"
            count = test.passed + test.failed + test.skipped
            detail = f"{test.passed}/{count}, " if count > 1 else ""
            why = f"  ({test.why})" if test.why and verdict != "pass" else ""
            print(f"[{self.done}/{self.total}] {verdict} {test.suite}/{test.name}  {detail}{test.seconds:.1f} s{why}",
                  file=self.progress, flush=True)
            if test.failed and test.output:
                lines = test.output.splitlines()
                keep = [i for i in lines if i.lstrip().startswith("not ok")][:20] if len(lines) > 60 else []
                for line in keep + lines[-60:]:
                    print("    " + line[:300], file=self.progress)
            if test.skipped and test.passed:
                for line in re.findall(r"^\s*ok\b.*#\s*skip.*$", test.output, re.M | re.I):
                    print("    " + line.strip()[:200], file=self.progress)
            self.progress.flush()

    def run_all(self, tests):
        todo = []
        self.total = len(tests)
        for t in tests:
            lack = t.missing()
            if lack:
                t.skipped, t.why = 1, f"needs {lack}, which is not here"
                self.report(t)
            else:
                todo.append(t)
        light, heavy = queue.SimpleQueue(), queue.SimpleQueue()
        for t in todo:
            (heavy if t.heavy else light).put(t)

        def worker(slot):
            while True:
                try:
                    t = light.get_nowait()
                except queue.Empty:
                    return
                self.run_test(t, slot)
                self.report(t)

        def heavy_lane(slot):
            while True:
                try:
                    t = heavy.get_nowait()
                except queue.Empty:
                    return
                self.say(f"      ... {t.suite}/{t.name} (up to {t.timeout * self.args.timeout_scale:.0f} s)")
                self.run_test(t, slot)
                self.report(t)

        # One CPU is left to the heavy ones, when there are any. They wait a lot: two at a time, but not on one CPU.
        lanes = min(2, self.args.jobs)
        count = max(1, self.args.jobs - (not heavy.empty()))
        threads = [threading.Thread(target=worker, args=(i,), daemon=True) for i in range(count)]
        threads += [threading.Thread(target=heavy_lane, args=(self.args.jobs + i,), daemon=True) for i in range(lanes)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def stop(self):
        for p in list(self.live.values()):
            self.end_group(p, 2)


def fuzz_long(runner, seconds):
    """Each target under libFuzzer for that long; what it finds lies in build-fuzz/found/<name>/."""
    build = TOP / "build-fuzz"
    env = dict(os.environ, CC="clang-14")
    if not (build / "build.ninja").exists():
        if subprocess.run(["meson", "setup", build, TOP, "-Dfuzz=true"], cwd=TOP, env=env).returncode:
            return [failed_step("fuzz", "configure for libFuzzer")]
    tests = []
    sub = Runner(argparse.Namespace(**dict(vars(runner.args), build=str(build))))
    targets = sub.meson_tests("fuzz")
    if not sub.step("build fuzzers", ["ninja", "-C", build] + [t.target for t in targets]):
        return [failed_step("fuzz", "build fuzzers")]
    for t in targets:
        name = t.name.removeprefix("fuzz-")
        work = build / "corpus" / name
        found = build / "found" / name
        work.mkdir(parents=True, exist_ok=True)
        found.mkdir(parents=True, exist_ok=True)
        corpus = TOP / "tests" / "fuzz" / "corpus" / name
        cmd = [t.cmd[0], f"-max_total_time={seconds}", f"-artifact_prefix={found}/", "-print_final_stats=1",
               str(work)] + ([str(corpus)] if corpus.exists() else [])
        tests.append(Test("fuzz", f"long-{name}", cmd, seconds + 60))
    return tests


def failed_step(suite, name, why="see above"):
    t = Test(suite, name, [])
    t.failed, t.why = 1, why
    return t


def parse():
    p = argparse.ArgumentParser(
        prog="./check", description="Runs the tests. Suites: " + ", ".join(SUITES) + "; none named = all.",
        epilog="e2e runs programs on stock machines, e2e-vmx the whole laptop with VT-x on Bochs, e2e-svm the whole laptop "
               "with AMD-V on QEMU with 1, 2 and 4 CPUs; guest runs test kernels on both. "
               "Exit code 0 when nothing failed, 1 when something did, 2 for a wrong command line. "
               "BULKHEAD_INSTALL=no keeps apt-get away.")
    p.add_argument("suite", nargs="*", help="one or more of: " + " ".join(SUITES))
    p.add_argument("--list", action="store_true", help="name the tests and stop")
    p.add_argument("--json", action="store_true", help="one JSON object per suite on stdout, progress on stderr")
    p.add_argument("-k", metavar="TEXT", help="only tests whose suite/name contains TEXT")
    p.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 2, help="light tests at a time (default: CPUs)")
    p.add_argument("--timeout-scale", type=float, default=1.0, metavar="X", help="multiply every time limit")
    p.add_argument("--fuzz-seconds", type=int, default=0, metavar="N",
                   help="with suite fuzz: run each target under libFuzzer for N seconds")
    p.add_argument("--build", default=str(TOP / "build"), help="build folder (default: build)")
    p.add_argument("--meson", action="append", default=[], metavar="ARG", help="more arguments for meson setup")
    args = p.parse_args()
    for s in args.suite:
        if s not in SUITES:
            p.error(f"no suite {s}; there are: {' '.join(SUITES)}")
    args.suite = [s for s in SUITES if s in args.suite] or SUITES
    return args


def collect(runner, args):
    """Builds what the suites need and returns their tests; a failed step is a failed test."""
    steps, tests = [], []
    if not runner.configure():
        return [failed_step("style" if args.suite == ["style"] else args.suite[-1], "configure")] + [
            t for s in args.suite if s == "style" for t in runner.file_tests(s)]
    for suite in args.suite:
        found = runner.file_tests(suite) if suite in FILE_SUITES else runner.meson_tests(suite)
        if suite == "fuzz" and args.fuzz_seconds:
            found = fuzz_long(runner, args.fuzz_seconds)
        tests += [t for t in found if not args.k or args.k in f"{suite}/{t.name}"]
    if args.list:
        return tests
    if {"golden", "policy", "guest", "vhd", "e2e", *(f"e2e-{m}" for m in MACHINES)} & set(args.suite):
        if not runner.step("build", ["ninja", "-C", runner.build, "-k", "20"]):
            steps.append(failed_step(args.suite[-1], "build"))
    else:
        targets = sorted({t.target for t in tests if t.target})
        if targets and not runner.step("build", ["ninja", "-C", runner.build, "-k", "20"] + targets):
            steps.append(failed_step("unit" if "unit" in args.suite else args.suite[0], "build"))
    return steps + tests


def main():
    args = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for tool in ("meson", "ninja"):
        if not shutil.which(tool):
            print(f"./check needs {tool}; see packages.txt", file=sys.stderr)
            print("0 passed, 1 failed")
            return 1
    runner = Runner(args)
    begin = time.monotonic()
    tests = collect(runner, args)
    if args.list:
        for t in tests:
            print(f"{t.suite}/{t.name}{'  heavy' if t.heavy else ''}  {t.timeout} s")
        return 0
    try:
        runner.run_all([t for t in tests if not t.failed])
    finally:
        runner.stop()
    for suite in args.suite:
        mine = [t for t in tests if t.suite == suite]
        row = {"suite": suite, "passed": sum(t.passed for t in mine), "failed": sum(t.failed for t in mine),
               "skipped": sum(t.skipped for t in mine), "seconds": round(sum(t.seconds for t in mine), 1)}
        if args.json:
            row["failures"] = [t.name for t in mine if t.failed]
            row["skips"] = {t.name: t.why for t in mine if t.skipped}
            print(json.dumps(row), flush=True)
        else:
            runner.say(f"{suite:8} {row['passed']:5} passed {row['failed']:3} failed {row['skipped']:3} skipped "
                       f"{row['seconds']:7.1f} s")
    bad = [f"{t.suite}/{t.name}" + (f" ({t.why})" if t.why else "") for t in tests if t.failed]
    gone = [f"{t.suite}/{t.name} ({t.why})" for t in tests if t.skipped]
    runner.say(f"{time.monotonic() - begin:.1f} s in all")
    if gone:
        runner.say("skipped: " + "; ".join(gone))
    if bad:
        runner.say("failed: " + "; ".join(bad))
    passed, failed, skipped = (sum(getattr(t, k) for t in tests) for k in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("check: interrupted")
