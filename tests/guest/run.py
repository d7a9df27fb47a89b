#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs test kernels as guests of an emulated laptop and checks what their sources say they do.

  tests/guest/run.py [--machine bochs|qemu] [--cpus N] [--jobs N] [NAME | FILE.elf ...]     all of them without names

The same files run on each machine: VT-x on Bochs, AMD-V on QEMU. The head comment of NAME.c holds lines of
the form `word: value`:
  expect: exit STATUS           the guest ends with this status, and each TAP line of it is ok
  expect: stopped REASON        the hypervisor stops it for this reason (names in partitions/bare/main.c)
  append: TEXT                  its command line
  timeout: S                    seconds of the guest's own clock (default 20)
  memory: MIB
  vcpus: N...                   one run with each number of vcpus (default 1)
  machine: NAME                 only there
  clock: host                   the PC's ticks all the same: for who only lets time pass
  device: ROLE = pci ...        a real device that the guest owns (tools/guest-run --device)
  qemu: ARGUMENTS               further arguments for QEMU
Time-stamp counters count instructions, whatever else the PC has to do: always on Bochs, on QEMU where the machine has
one CPU. Several run at the same time there and have the PC's clock.
Prints one TAP line per run; the guest's own lines follow as comments where it failed, or with -v.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = Path(os.environ.get("BUILD", os.environ.get("BULKHEAD_BUILD", ROOT / "build")))
STOPPED, TIMED_OUT = 126, 124


def expectations(name):
    found = dict(re.findall(r"^ \*+ +(expect|append|timeout|memory|vcpus|machine|clock|device|qemu): (.*?)(?: \*/)?$",
                            (HERE / f"{name}.c").read_text(), re.M))
    if "expect" not in found:
        sys.exit(f"{name}.c: its head comment has no line `expect:`")
    return found


def names():
    return sorted(path.stem for path in HERE.glob("*.c"))


def run(args, name, vcpus):
    """(what is wrong or "", the lines of the guest)"""
    want = expectations(name)
    append = want.get("append", "") + (f" vcpus={vcpus}" if "vcpus" in want else "")
    command = [ROOT / "tools" / "guest-run", "--machine", args.machine, "--cpus", args.cpus, "--vcpus", vcpus,
               "--timeout", want.get("timeout", "20"), "--append", append, "--memory", want.get("memory", "64"), "--stats",
               *(["--icount"] if args.cpus == 1 and want.get("clock") != "host" else []),
               *(["--device", want["device"]] if "device" in want else []), f"--qemu={want.get('qemu', '')}",
               BUILD / "tests" / "guest" / f"{name}.elf"]
    done = subprocess.run([str(a) for a in command], capture_output=True, text=True, errors="replace", check=False)
    lines = (done.stdout + done.stderr).splitlines()
    return verdict(args.machine, want["expect"], done.returncode, lines), lines


def verdict(machine, expect, status, lines):
    kind, value = expect.split(maxsplit=1)
    if kind == "stopped":
        said = [line for line in lines if line.startswith("bulkhead-guest-stopped: ")]
        if status not in (STOPPED, TIMED_OUT) or not said or said[0].split()[1] != value:
            return f"status {status}, expected it to be stopped: {value}"
        return ""
    if status != int(value):
        return f"status {status}, expected {value}"
    bad = [line for line in lines if line.startswith(("not ok", "Bail out"))]
    if bad:
        return bad[0]
    plan = [line for line in lines if re.match(r"1\.\.\d+", line)]
    results = sum(line.startswith("ok ") for line in lines)
    if len(plan) != 1 or int(re.match(r"1\.\.(\d+)", plan[0]).group(1)) != results:
        return f"{results} results do not match the plan {plan}"
    lax = [line for line in lines if "# SKIP the emulated CPU" in line]
    if lax and machine != "qemu":
        return f"this CPU checks that: {lax[0]}"
    if "# SKIP" in plan[0]:
        return "it skipped itself"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--machine", choices=("bochs", "qemu"), default="bochs")
    parser.add_argument("--cpus", type=int, default=1, help="CPUs of the machine (default 1)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    wanted = [(name, int(vcpus)) for name in [Path(n).stem for n in args.names] or names()
              if expectations(name).get("machine", args.machine) == args.machine
              for vcpus in expectations(name).get("vcpus", "1").split()]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda one: run(args, *one), wanted)
        for number, ((name, vcpus), (why, lines)) in enumerate(zip(wanted, results), 1):
            failed += why != ""
            checks = sum(line.startswith("ok ") for line in lines)
            title = f"guest {name}" + (f" with {vcpus} vcpus" if vcpus > 1 else "")
            print(f"{'not ok' if why else 'ok'} {number} - {title}: {why or f'{checks} checks'}", flush=True)
            if why or args.verbose:
                print("\n".join(f"#   {line}" for line in lines), flush=True)
    print(f"1..{len(wanted)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
