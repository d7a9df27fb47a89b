# SPDX-License-Identifier: Apache-2.0
"""The figures of ./bench vhd: our disk back end and the peers of Debian, driven by the same blk-load in one run.

Images lie on a tmpfs, so that the engines are compared and not a disk. Every pair of server and load is measured in
several rounds, all servers in turn, and the best round counts: other work on the machine only ever makes one slower.
How many times better we are is judged by CPU time per request, which other work changes little; the same by throughput
is printed beside it and means something on an idle machine only.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BULKHEAD_BUILD", ROOT / "build"))
MIB = 1 << 20
LOADS = {
    "sequential read 1 MiB": ["--mode", "read", "--block", str(MIB), "--depth", "4"],
    "sequential write 1 MiB": ["--mode", "write", "--block", str(MIB), "--depth", "4"],
    "random read 4 KiB QD32": ["--mode", "randread", "--block", "4096", "--depth", "32"],
    "random write 4 KiB QD32": ["--mode", "randwrite", "--block", "4096", "--depth", "32"],
}
PLAIN, ENCRYPTED = "plain dynamic VHD", "encrypted dynamic VHD"
# (server, load): the peer whose throughput is the measure, and how many times that we want
AIMS = {
    (PLAIN, "sequential read 1 MiB"): (("raw",), 1.0),
    (PLAIN, "sequential write 1 MiB"): (("raw",), 0.9),
    (PLAIN, "random write 4 KiB QD32"): (("vpc dynamic",), 4.0),
    (ENCRYPTED, "sequential read 1 MiB"): (("qcow2 + LUKS", "LUKS on raw"), 5.0),
    (ENCRYPTED, "sequential write 1 MiB"): (("qcow2 + LUKS", "LUKS on raw"), 5.0),
    (ENCRYPTED, "random read 4 KiB QD32"): (("qcow2 + LUKS", "LUKS on raw"), 2.5),
    (ENCRYPTED, "random write 4 KiB QD32"): (("qcow2 + LUKS", "LUKS on raw"), 2.5),
}
# CPU microseconds per request, encrypted: both directions must keep within
CPU_AIMS = {"sequential read 1 MiB": 400, "sequential write 1 MiB": 400,
            "random read 4 KiB QD32": 6, "random write 4 KiB QD32": 6}


def program(*parts):
    return str(BUILD.joinpath(*parts))


def run(command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300, **more)


class Server:
    """One back end on one image, listening on a socket of its own."""

    def __init__(self, name, folder, number, prepare, command):
        self.name, self.folder = name, folder
        self.socket = folder / f"{number}.sock"
        self.log = folder / f"{number}.log"
        self.best = {}
        self.trouble = None
        self.process = None
        try:
            for one in prepare:
                run(one, cwd=folder)
            self.start([word.replace("SOCKET", str(self.socket)) for word in command])
            self.load(["--mode", "fill", "--block", str(MIB), "--depth", "4"])
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", b"") or b""
            self.trouble = (said.decode(errors="replace").strip().splitlines() or [str(error)])[-1]

    def start(self, command):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        for _ in range(200):
            if self.process.poll() is not None:
                raise OSError(self.log.read_text(errors="replace").strip() or "ended at once")
            if self.socket.exists():
                return
            time.sleep(0.05)
        raise OSError("never listened")

    def load(self, words):
        done = subprocess.run([program("tests", "bench", "blk-load"), "--socket", self.socket, "--pid",
                               str(self.process.pid), *words], capture_output=True, check=True, timeout=300)
        return json.loads(done.stdout)

    def measure(self, name, seconds):
        if self.trouble:
            return
        try:
            got = self.load([*LOADS[name], "--seconds", str(seconds)])
        except subprocess.SubprocessError as error:
            self.trouble = str(error)
            return
        best = self.best.setdefault(name, {"iops": 0, "mb_per_s": 0, "cpu_us": float("inf")})
        best["iops"] = max(best["iops"], got["iops"])
        best["mb_per_s"] = max(best["mb_per_s"], got["mb_per_s"])
        best["cpu_us"] = min(best["cpu_us"], got["cpu_us"])

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()


def servers(folder, size):
    """name, how its image is made, how it is started; all in the folder."""
    (folder / "pass").write_bytes(b"bench")
    image = str(size)
    tool = program("vhd", "tool", "bulkhead-vhd")
    ours = [program("partitions", "devices", "bulkhead-blk"), "--vhost-socket", "SOCKET"]
    export = "type=vhost-user-blk,id=e,node-name=top,addr.type=unix,addr.path=SOCKET,writable=on"
    peer = ["qemu-storage-daemon", "--object", "secret,id=s,file=pass"]
    luks = "key-secret=s"
    yield PLAIN, [[tool, "create", "--size", image, "plain.vhd"]], [*ours, "--disk", "plain.vhd"]
    yield (ENCRYPTED, [[tool, "create", "--size", image, "--encrypt", "--secret-file", "pass", "secret.vhd"]],
           ["sh", "-c", f"exec {' '.join(ours)} --disk secret.vhd --secret-fd 3 3<pass"])
    yield ("raw", [["truncate", "-s", image, "raw.img"]],
           [*peer, "--blockdev", "driver=file,node-name=top,filename=raw.img,aio=io_uring", "--export", export])
    yield ("vpc dynamic",
           [["qemu-img", "create", "-q", "-f", "vpc", "-o", "subformat=dynamic,force_size=on", "peer.vhd", image]],
           [*peer, "--blockdev", "driver=file,node-name=f,filename=peer.vhd", "--blockdev",
            "driver=vpc,node-name=top,file=f", "--export", export])
    secret = ["--object", "secret,id=s,file=pass"]
    yield ("qcow2 + LUKS",
           [["qemu-img", "create", "-q", *secret, "-f", "qcow2", "-o",
             "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10", "peer.qcow2", image]],
           [*peer, "--blockdev", "driver=file,node-name=f,filename=peer.qcow2", "--blockdev",
            f"driver=qcow2,node-name=top,file=f,encrypt.format=luks,encrypt.{luks}", "--export", export])
    yield ("LUKS on raw",
           [["qemu-img", "create", "-q", *secret, "-f", "luks", "-o", "key-secret=s,iter-time=10", "peer.luks", image]],
           [*peer, "--blockdev", "driver=file,node-name=f,filename=peer.luks", "--blockdev",
            f"driver=luks,node-name=top,file=f,{luks}", "--export", export])


def served(folder, size, rounds, seconds):
    """Throughput and CPU of all servers, side by side."""
    started = []
    try:
        for number, (name, prepare, command) in enumerate(servers(folder, size)):
            print(f"  preparing {name}", file=sys.stderr)
            started.append(Server(name, folder, number, prepare, command))
        for number in range(rounds):
            print(f"  round {number + 1} of {rounds}", file=sys.stderr)
            for load in LOADS:
                for server in started:
                    server.measure(load, seconds)
    finally:
        for server in started:
            server.stop()
    return {server.name: server for server in started}


def rates(found):
    for load in LOADS:
        unit = "MB/s" if "MiB" in load else "IOPS"
        key = "mb_per_s" if unit == "MB/s" else "iops"
        for name in (PLAIN, ENCRYPTED):
            mine = found[name]
            line = {"figure": f"{name}, {load}", "unit": unit}
            if mine.trouble or load not in mine.best:
                yield {**line, "unmeasured": mine.trouble or "no round ended"}
                continue
            line["value"] = mine.best[load][key]
            line["cpu_us"] = mine.best[load]["cpu_us"]
            line["peers"] = {other.name: {"value": other.best[load][key], "cpu_us": other.best[load]["cpu_us"]}
                             for other in found.values() if other is not mine and load in other.best
                             and other.name not in (PLAIN, ENCRYPTED)}
            if (name, load) in AIMS:
                against, times = AIMS[name, load]
                known = [found[peer].best[load] for peer in against if load in found[peer].best]
                line["aim"] = f"{times:g} x {' or '.join(against)}"
                if known:
                    line["times"] = round(line["value"] / max(best[key] for best in known), 2)
                    line["times_cpu"] = round(min(best["cpu_us"] for best in known) / line["cpu_us"], 2)
                line["pass"] = line.get("times_cpu", 0) >= times
            if name == ENCRYPTED:
                line["cpu_aim"] = CPU_AIMS[load]
                line["pass_cpu"] = line["cpu_us"] <= CPU_AIMS[load]
            yield line


def counts(folder):
    """What the engine asks of the file below it: calls, bytes and memory, which no other work on the machine changes."""
    done = subprocess.run([program("tests", "bench", "vhd-count"), folder], capture_output=True, text=True, check=False,
                          timeout=600)
    for line in done.stdout.splitlines():
        yield json.loads(line)
    if done.returncode:
        yield {"figure": "calls of the engine", "unmeasured": done.stderr.strip().splitlines()[-1:] or "vhd-count failed"}


def moved(folder):
    done = subprocess.run([sys.executable, ROOT / "tests" / "vhd" / "session.py", "--json", folder], capture_output=True,
                          text=True, check=False, timeout=1800)
    found = re.findall(r"^\{.*\}$", done.stdout, re.M)
    for line in found:
        yield json.loads(line)
    if done.returncode or not found:
        yield {"figure": "bytes to move for a session",
               "unmeasured": (done.stderr.strip().splitlines() or ["no output"])[-1]}


def as_text(line):
    if "unmeasured" in line:
        return f"{line['figure']:50} not measured: {line['unmeasured']}"
    words = [f"{line['figure']:50} {line['value']:>12,.6g} {line['unit']:5}"]
    if "cpu_us" in line:
        words.append(f"{line['cpu_us']:9.2f} us CPU" + (f" (aim {line['cpu_aim']})" if "cpu_aim" in line else ""))
    if "aim" in line:
        words.append(f"aim {line['aim']}" + (f": {line['times_cpu']} x by CPU, {line['times']} x by throughput" if "times" in line else ""))
    words.append({True: "reached", False: "MISSED"}.get(line.get("pass") if line.get("pass_cpu", True) else False, ""))
    return "  ".join(word for word in words if word)


def main(args):
    home = "/dev/shm" if shutil.disk_usage("/dev/shm").free > 8 * args.size * MIB else None
    missed = 0
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-", dir=home) as name:
        folder = Path(name)
        sources = [lambda: rates(served(folder, args.size * MIB, args.rounds, args.seconds)), lambda: counts(folder)]
        if args.move:
            sources.append(lambda: moved(folder))
        for source in sources:
            for line in source():
                missed += line.get("pass") is False or line.get("pass_cpu") is False or "unmeasured" in line
                print(json.dumps(line) if args.json else as_text(line), flush=True)
                for peer, value in line.get("peers", {}).items() if not args.json else ():
                    print(f"    {peer:46} {value['value']:>12,.6g} {line['unit']:5}  {value['cpu_us']:9.2f} us CPU")
    return 1 if args.strict and missed else 0


def arguments(parser):
    parser.add_argument("--size", type=int, default=1024, metavar="MIB", help="virtual size of each image (default 1024)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the best counts (default 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of one load in one round (default 1)")
    parser.add_argument("--move", action="store_true", help="also make a desktop and a session, and pack it (minutes)")
    parser.add_argument("--json", action="store_true", help="one JSON object per figure")
    parser.add_argument("--strict", action="store_true", help="exit code 1 if a figure misses its aim")
    parser.add_argument("--no-build", action="store_true", help="measure what is built already")
