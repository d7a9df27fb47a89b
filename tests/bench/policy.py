# SPDX-License-Identifier: Apache-2.0
"""The figures of ./bench policy: what it costs to turn a policy of 10 to 10,000 rules into a proved table.

Random policies of two layers over eight partitions and eight zones; the vendor's half of the rules says `default`, so that
IT's half decides too, and one assertion is proved over all flows. Instructions of each stage are counted by valgrind and
are the same on every run; CPU time is that of whole processes, the least of several rounds. Beside them, in the same
rounds, peers of Debian read as many rules of their own and check them without loading: nftables (the kernel checks them
too), AppArmor's parser (compiles them to its binary form) and SELinux' secilc (the same, with one neverallow).
"""
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BULKHEAD_BUILD", ROOT / "build"))
STAGES = ("read", "parse", "model", "cells", "closure", "prove", "emit")
PROGRAM = BUILD / "tests" / "bench" / "policy-stages"
PARTS, ZONES = 8, 8
APPLY_MS, APPLY_RULES = 100, 1000  # what a running machine may take for so many rules, all steps together


def rule(rng, number):
    """verdict and flow of one rule: mostly network by port, then clipboard, channels and files."""
    verdict = rng.choice(("allow", "ask", "deny"))
    one, two = rng.sample(range(PARTS), 2)
    limit = {"deny": ""}
    sort = rng.randrange(10)
    if sort < 6:
        low = rng.randrange(65536)
        high = min(65535, low + rng.choice((0, 0, 0, 1, 10, 100)))
        ports = f"{low}-{high}" if high > low else f"{low}"
        types = rng.choice(("tcp", "udp", "tcp, udp"))
        flow = f"network part{one} -> zone{rng.randrange(ZONES)} types {types} port {ports}"
    elif sort < 8:
        types = rng.choice(("text", "image", "text, image"))
        flow = f"clipboard part{one} -> part{two} types {types}" + limit.get(verdict, f" up to {rng.randrange(1, 64)}KiB")
    elif sort < 9:
        flow = f"channel part{one} -> part{two} port {rng.randrange(65536)}"
    else:
        flow = (f"file part{one} -> part{two} types {rng.choice(('document', 'image', 'media'))}"
                + limit.get(verdict, f" count {rng.randrange(1, 20)}"))
    return f"r{number}: {verdict} {flow}"


def policy(folder, count):
    """The two layers as files."""
    rng = random.Random(count)
    rules = [rule(rng, number) for number in range(count)]
    vendor = ['policy vendor "Bench" version 1', "role keyboard = keyboard", "role screen = screen", "role stick = usb 08",
              *(f"zone zone{i} = 10.{i}.0.0/16" for i in range(ZONES)), "partition control", "memory 256MiB"]
    for i in range(PARTS):
        vendor += [f"partition part{i}", "memory 64MiB"]
    vendor += ["keys: allow input keyboard -> control", "pixels: allow display control -> screen",
               *(f"default {one}" for one in rules[::2])]
    files = [folder / "vendor.pol", folder / "it.pol"]
    files[0].write_text("\n".join(vendor) + "\n")
    files[1].write_text("\n".join(['policy it "Bench" version 1', *rules[1::2], "never stick -> zone0"]) + "\n")
    return [PROGRAM, *files]


def nftables(folder, count):
    rng = random.Random(count)
    lines = [f"ip saddr 10.0.0.{rng.randrange(PARTS)} ip daddr 10.{rng.randrange(ZONES)}.0.0/16 "
             f"{rng.choice(('tcp', 'udp'))} dport {rng.randrange(65536)} {rng.choice(('accept', 'drop'))}"
             for _ in range(count)]
    path = folder / "rules.nft"
    path.write_text("table inet bench {\nchain out {\n" + "\n".join(lines) + "\n}\n}\n")
    return ["nft", "-c", "-f", path]


def apparmor(folder, count):
    rng = random.Random(count)
    path = folder / "rules.aa"
    parts = [f"profile part{i} {{\n" + "".join(f"/srv/{rng.randrange(1 << 32):08x}/** {rng.choice(('r', 'rw'))},\n"
                                             for _ in range((count + i) // PARTS)) + "}\n" for i in range(PARTS)]
    path.write_text("".join(parts))
    return ["apparmor_parser", "-S", "-K", path]


def selinux(folder, count):
    rng = random.Random(count)
    types = [f"t{i}" for i in range(max(2, count // 10))]
    path = folder / "rules.cil"
    path.write_text("\n".join([
        "(class file (read write open))", "(classorder (file))", "(sid kernel)", "(sidorder (kernel))", "(user user_u)",
        "(role object_r)", "(role sys_r)", "(sensitivity s0)", "(sensitivityorder (s0))", "(category c0)",
        "(categoryorder (c0))", "(sensitivitycategory s0 (c0))", *(f"(type {one})\n(roletype sys_r {one})" for one in types),
        "(type last)", "(roletype object_r t0)", "(userrole user_u sys_r)", "(userlevel user_u (s0))",
        "(userrange user_u ((s0) (s0)))", "(sidcontext kernel (user_u sys_r t0 ((s0) (s0))))",
        *(f"(allow {rng.choice(types)} {rng.choice(types)} (file ({rng.choice(('read', 'write', 'open'))})))"
          for _ in range(count)), "(neverallow last t0 (file (write)))"]) + "\n")
    return ["secilc", "-o", folder / "selinux.bin", "-f", os.devnull, path]


PEERS = {"nftables": nftables, "AppArmor": apparmor, "SELinux CIL": selinux}


def cpu_ms(command):
    """CPU time of a process and its children, of which none may fail."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise OSError((said.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"])[-1])
    return 1000 * (usage.ru_utime + usage.ru_stime)


def instructions(command):
    """Instructions up to the end of each stage, taken apart."""
    total, found = 0, {}
    for stage in ("start", *STAGES):
        words = [command[0], "--until", stage, *command[1:]] if stage != "start" else [command[0]]
        done = subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", *words],
                              capture_output=True, text=True, check=False, timeout=600)
        match = re.search(r"I +refs: +([\d,]+)", done.stderr)
        if not match:
            raise OSError((done.stderr.strip().splitlines() or ["valgrind said nothing"])[-1])
        count = int(match.group(1).replace(",", ""))
        found[stage], total = count - total, count
    return {stage: found[stage] for stage in STAGES}


def counted(commands):
    """Instructions by stage for each number of rules, and how they grow."""
    if not shutil.which("valgrind"):
        yield {"figure": "compile a policy", "unit": "instructions", "unmeasured": "valgrind is not installed"}
        return
    sums = {}
    for count, command in commands.items():
        line = {"figure": f"compile {count:,} rules", "unit": "instructions"}
        try:
            stages = instructions(command)
        except (OSError, subprocess.SubprocessError) as error:
            yield {**line, "unmeasured": str(error)}
            continue
        sums[count] = sum(stages.values())
        yield {**line, "value": sums[count], "stages": stages}
    for small, large in zip(sorted(sums), sorted(sums)[1:]):
        aim = round(large * math.log(large) / (small * math.log(small)), 1)
        times = round(sums[large] / sums[small], 2)
        yield {"figure": f"growth from {small:,} to {large:,} rules", "unit": "times", "value": times,
               "aim": f"at most {aim} (n log n)", "pass": times <= aim}


def timed(folder, sizes, rounds):
    """CPU time of whole processes, ours and the peers', in the same rounds."""
    for count in sizes:
        best, trouble = {}, {}
        commands = {"bulkhead": policy(folder, count), **{name: make(folder, count) for name, make in PEERS.items()}}
        for _ in range(rounds):
            for name, command in commands.items():
                try:
                    best[name] = min(cpu_ms(command), best.get(name, math.inf))
                except OSError as error:
                    trouble[name] = str(error)
        line = {"figure": f"compile {count:,} rules, whole process", "unit": "ms CPU"}
        if "bulkhead" in trouble:
            yield {**line, "unmeasured": trouble["bulkhead"]}
            continue
        line["value"] = round(best.pop("bulkhead"), 2)
        line["peers"] = {name: round(value, 2) for name, value in best.items()}
        line["missing"] = {name: why for name, why in trouble.items() if name not in best}
        if count == APPLY_RULES:
            line["aim"] = f"at most {APPLY_MS}"
            line["pass"] = line["value"] <= APPLY_MS
        yield line


def sizes_of_tables(commands):
    for count, command in commands.items():
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        line = {"figure": f"table of {count:,} rules", "unit": "bytes"}
        if done.returncode:
            yield {**line, "unmeasured": (done.stderr.strip().splitlines() or ["no output"])[-1]}
            continue
        found = json.loads(done.stdout)
        yield {**line, "value": found["table"], "rows": found["rows"]}


def as_text(line):
    if "unmeasured" in line:
        return f"{line['figure']:40} not measured: {line['unmeasured']}"
    words = [f"{line['figure']:40} {line['value']:>14,} {line['unit']}"]
    if "rows" in line:
        words.append(f"in {line['rows']:,} rows")
    if "aim" in line:
        words.append(f"aim {line['aim']}: {'reached' if line['pass'] else 'MISSED'}")
    text = "  ".join(words)
    for name, value in {**line.get("stages", {}), **line.get("peers", {})}.items():
        text += f"\n    {name:36} {value:>14,} {line['unit']}"
    for name, why in line.get("missing", {}).items():
        text += f"\n    {name:36} not measured: {why}"
    return text


def main(args):
    missed = 0
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as name:
        commands = {}
        for count in args.rules:
            folder = Path(name) / str(count)
            folder.mkdir()
            commands[count] = policy(folder, count)
        for source in (timed(Path(name), args.rules, args.rounds), sizes_of_tables(commands), counted(commands)):
            for line in source:
                missed += line.get("pass") is False or "unmeasured" in line
                print(json.dumps(line) if args.json else as_text(line), flush=True)
    return 1 if args.strict and missed else 0


def arguments(parser):
    parser.add_argument("--rules", type=int, nargs="+", default=[10, 100, 1000, 10000], metavar="N",
                        help="how many (default 10 100 1000 10000)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the least CPU time counts (default 5)")
    parser.add_argument("--json", action="store_true", help="one JSON object per figure")
    parser.add_argument("--strict", action="store_true", help="exit code 1 if a figure misses its aim")
    parser.add_argument("--no-build", action="store_true", help="measure what is built already")
