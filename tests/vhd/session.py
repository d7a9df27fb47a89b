#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bytes to move after a session on a desktop: ours beside rdiff's and casync's, on the same disk.

An ext4 disk is filled with files of this machine (without root: mke2fs -d) and put into an encrypted base image. A
session edits, deletes and adds files, a database and a log in a child of it. Then the child is exported to a "stick",
imported on another "PC" that has the base, and compared. The peers see what they would see on a PC: ciphertext.

Files are written as programs save them: the new one beside the old one, then the old one goes. debugfs stands for the
guest's kernel, so there is no journal in it.
"""
import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MB = 1000 * 1000
BUILD = Path(os.environ.get("BULKHEAD_BUILD", Path(__file__).resolve().parents[2] / "build"))


def cpu_us():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e6


def run(*args, **kw):
    r = subprocess.run([str(a) for a in args], capture_output=True, timeout=1200, **kw)
    if r.returncode:
        raise SystemExit(f"{args[0]}: {r.stderr.decode(errors='replace')[-500:]}")
    return r.stdout


def machine_files(top, least, most):
    """Ordinary files in an order that depends on their names only, hard links once."""
    found, seen = [], set()
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            if not os.path.isfile(path) or os.path.islink(path) or not least <= st.st_size <= most or st.st_ino in seen:
                continue
            if name.endswith((".pyc", ".tmp")) or not os.access(path, os.R_OK):
                continue
            seen.add(st.st_ino)
            found.append((hashlib.sha1(path.encode()).digest(), st.st_size, path))
    return [(size, path) for _, size, path in sorted(found)]


class Session:
    def __init__(self, options, where):
        self.o, self.where, self.rng = options, where, random.Random(options.seed)
        self.raw, self.script = where / "disk.raw", []
        self.tree = where / "tree"

    def build(self):
        o, used, self.files = self.o, 0, []
        files = machine_files(o.source, o.least, 64 * MB // o.scale)
        self.tree.mkdir()
        database = []
        while used < 700 * MB // o.scale and files:
            size, path = files.pop(0)
            name = f"d{len(self.files) % 97}/f{len(self.files)}"
            (self.tree / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, self.tree / name)
            self.files.append((name, size))
            used += size
        with open(self.tree / "database", "wb") as f:
            while f.tell() < 250 * MB // o.scale and files:
                f.write(Path(files.pop(0)[1]).read_bytes())
        self.rest = files
        self.used = used + (self.tree / "database").stat().st_size
        run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-I", "256", "-d", self.tree, "-E",
            "hash_seed=" + "0" * 8 + "-0000-4000-8000-" + "0" * 12,
            "-U", "0" * 8 + "-0000-4000-8000-" + "0" * 11 + "1", self.raw, f"{1400 // o.scale}M")

    def put(self, name, data):
        at = self.where / f"new{len(self.script)}"
        at.write_bytes(data)
        self.script.append(f"write {at} {name}")

    def work(self):
        """200 files edited, 200 deleted, 30 MB copied in, a log of 5 MB; 500 pages of the database."""
        o, rng = self.o, self.rng
        some = rng.sample(self.files, 400 // o.scale)
        edited, deleted = some[:len(some) // 2], some[len(some) // 2:]
        late = []
        for i, (name, _) in enumerate(edited):
            old = (self.tree / name).read_bytes()
            at = rng.randrange(len(old) + 1)
            self.put(f"/edit{i}", old[:at] + b"one more line of text, number %d\n" % i + old[at:])
            late += [f"rm /{name}", f"ln /edit{i} /{name}", f"unlink /edit{i}"]
        copied = 0
        while copied < 29 * MB // o.scale and self.rest:
            size, path = self.rest.pop(0)
            if copied + size > 30 * MB // o.scale:
                continue  # one huge archive would be the whole session
            self.put(f"/copy{copied}", Path(path).read_bytes())
            copied += size
        log, size = [], 0
        while size < 5 * MB // o.scale:
            log.append(f"Nov 21 20:{len(log) // 60 % 60:02}:{len(log) % 60:02} desk daemon[{rng.randrange(9999)}]: "
                       f"request {rng.randrange(1 << 30):08x} took {rng.randrange(5000):4} us\n")
            size += len(log[-1])
        self.put("/log", "".join(log).encode())
        late += [f"rm /{name}" for name, _ in deleted]
        commands = self.where / "commands"
        commands.write_text("\n".join(self.script + late) + "\n")
        run("debugfs", "-w", "-f", commands, self.raw)
        blocks = [int(b) for b in run("debugfs", "-R", "blocks /database", self.raw).split()]
        with open(self.raw, "r+b") as f:
            for block in rng.sample(blocks, min(500 // o.scale, len(blocks))):
                f.seek(block * 4096)
                f.write(rng.randbytes(4096))
        for file in self.where.glob("new*"):
            file.unlink()


def tool(o, *args):
    out = run(o.program, *args)
    return json.loads(out) if out.strip() else None


def peers(where, figures):
    """What they would send: rdiff's delta, casync's new chunks with the list of them."""
    base, disk = where / "base.enc", where / "disk.enc"
    start = cpu_us()
    run("rdiff", "-b", "65536", "signature", base, where / "sig")
    run("rdiff", "delta", where / "sig", disk, where / "rdiff")
    figures["rdiff"] = {"value": (where / "rdiff").stat().st_size, "cpu_us": cpu_us() - start}
    store = where / "store"
    run("casync", "make", f"--store={store}", where / "base.caibx", base)
    before = {p for p in store.rglob("*") if p.is_file()}
    start = cpu_us()
    run("casync", "make", f"--store={store}", where / "disk.caibx", disk)
    new = sum(p.stat().st_size for p in store.rglob("*") if p.is_file() and p not in before)
    figures["casync"] = {"value": new + (where / "disk.caibx").stat().st_size, "cpu_us": cpu_us() - start}


def measure(o, where):
    session = Session(o, where)
    session.build()
    a, b, stick = where / "a", where / "b", where / "stick"
    for folder in (a, b, stick):
        folder.mkdir()
    tool(o, "make", a / "base.vhd", session.raw)
    session.work()
    shutil.rmtree(session.tree)
    tool(o, "work", a / "office.vhd", "base.vhd", session.raw)
    shutil.copyfile(a / "base.vhd", b / "base.vhd")
    start, before = time.monotonic(), cpu_us()
    sent = tool(o, "export", a / "office.vhd", f"{stick}/", *([str(o.level)] if o.level else []))
    middle, after = time.monotonic(), cpu_us()
    tool(o, "import", stick / "office.bundle", b / "office.vhd")
    end = time.monotonic()
    tool(o, "same", b / "office.vhd", session.raw)
    figures = {"used": session.used, "files": len(session.files), "changed": sent["changed"],
               "bytes": (stick / "office.bundle").stat().st_size, "export_seconds": middle - start,
               "export_cpu_us": after - before,
               "import_seconds": end - middle, "image_bytes": (a / "office.vhd").stat().st_size}
    # The way back after a small change: only that.
    with open(session.raw, "r+b") as f:
        for i in range(20):
            f.seek((100000 // o.scale + i * 7) * 4096)
            f.write(session.rng.randbytes(4096))
    tool(o, "rework", b / "office.vhd", session.raw)
    tool(o, "export", b / "office.vhd", f"{stick}/")
    figures["return_bytes"] = (stick / "office.bundle").stat().st_size
    tool(o, "import", stick / "office.bundle", a / "office.vhd")
    tool(o, "same", a / "office.vhd", session.raw)
    if o.peers:
        tool(o, "dump", a / "base.vhd", where / "base.enc")
        tool(o, "dump", a / "office.e1.vhd", where / "disk.enc")
        peers(where, figures)
    return figures


def lines(figures):
    """As ./bench prints figures."""
    yield {"figure": "bytes to move for a session", "value": figures["bytes"], "unit": "bytes",
           "cpu_us": figures["export_cpu_us"], "aim": "<= 40 MB", "pass": figures["bytes"] <= 40 * MB,
           "peers": {name: figures[name] for name in ("rdiff", "casync") if name in figures}}
    yield {"figure": "bytes of its changed sectors", "value": figures["changed"], "unit": "bytes"}
    yield {"figure": "bytes of the image that it left", "value": figures["image_bytes"], "unit": "bytes"}
    yield {"figure": "bytes of the way back, 20 sectors changed", "value": figures["return_bytes"], "unit": "bytes"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=BUILD / "tests" / "vhd" / "movedisk")
    parser.add_argument("--source", default="/usr")
    parser.add_argument("--least", type=int, default=3072, help="bytes of the smallest file: so many there are")
    parser.add_argument("--scale", type=int, default=1, help="divide all sizes and counts by this")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--level", type=int, default=0, help="of zstd")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--work", help="folder for it all (about 8 GB divided by the scale)")
    parser.add_argument("--json", metavar="FOLDER", help="all of it, in this folder, as ./bench wants it")
    o = parser.parse_args()
    if o.json:
        o.work, o.peers = o.json, shutil.which("rdiff") is not None and shutil.which("casync") is not None
    with tempfile.TemporaryDirectory(dir=o.work) as where:
        figures = measure(o, Path(where))
    for line in lines(figures) if o.json else [figures]:
        print(json.dumps(line))


if __name__ == "__main__":
    sys.exit(main())
