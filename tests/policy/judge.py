#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random small policies: what the compiler makes of them against a model that works by brute force (semantics.py).

Prints TAP with one line for each sort of agreement; the first policies that disagree are shown with their text.
"""
import argparse
import ipaddress
import os
import random
import subprocess
import sys
import time
from collections import Counter

import compare
from directed import policies
from gen import Maker, change
from semantics import World
from words import KINDS

BATCH = 100


def addresses(world):
    """First and last address of each prefix, one before and one behind, as (text, bytes)."""
    out = {}
    for net in world.addresses:
        for n in (int(net[0]) - 1, int(net[0]), int(net[-1]), int(net[-1]) + 1):
            if 0 <= n < 1 << net.max_prefixlen:
                address = ipaddress.ip_address(n) if net.version == 4 else ipaddress.IPv6Address(n)
                raw = address.packed if net.version == 6 else bytes(10) + b"\xff\xff" + address.packed
                if net.version == 4 or address.ipv4_mapped is None:
                    out[address] = raw
    return list(out.items())[:256]


def cases(seed, numbers):
    """In a row, each second one a change of the one before."""
    out = []
    for n in numbers:
        out.append(Case(seed, n, out[-1] if out else None))
    return out


def without(layer, errors, keep):
    """What is left of a layer's statements, `keep` among it; with a partition go its properties."""
    out, gone = [], False
    for s in layer.statements:
        wrong = (layer.name, s.line) in errors and s is not keep
        if s.what == "partition":
            gone = wrong
        if not wrong and not (gone and s.what == "key"):
            out.append(s)
    return out


class Case:
    def __init__(self, seed, number, before=None):
        """before: the one with the number before; each second one is a change of that."""
        self.name = f"{seed}.{number}"
        self.before = before
        rng = random.Random(f"{seed}/{number}")
        directed = policies() if number < len(policies()) else None
        if directed:
            layers = directed[number]
        else:
            layers = change(rng, before.layers) if before and number % 2 else Maker(rng).policy()
        texts = [layer.text(rng) for layer in layers]
        self.world = World(layers)
        # Policies lose what is wrong, or nothing behind it would be looked at; some keep one wrong statement, which must
        # be found at its place, and few keep all of them.
        fate, keep = rng.random(), None
        for _ in range(8):
            wrong = [s for layer in layers for s in layer.statements if (layer.name, s.line) in self.world.errors]
            if directed or fate < 0.03 or not self.world.errors or wrong == [keep]:
                break
            if fate < 0.35 and keep not in wrong and wrong:
                keep = rng.choices(wrong, [8 if s.what == "key" else 1 for s in wrong])[0]
            for layer in layers:
                layer.statements = without(layer, self.world.errors, keep)
            texts = [layer.text(rng) for layer in layers]
            self.world = World(layers)
        self.layers, self.texts = layers, texts
        self.ports = self.world.ports()
        self.addresses = addresses(self.world)
        self.kinds = sorted({KINDS.index(s.kind) for _, s, _ in self.world.claims if s.kind})

    def request(self):
        out = [f"policy {self.name}\n".encode()]
        for layer, text in zip(self.layers, self.texts):
            raw = text.encode()
            out += [f"layer {layer.name} {len(raw)}\n".encode(), raw]
        out.append(f"ports {','.join(map(str, self.ports))}\nkinds {sum(1 << k for k in self.kinds)}\n".encode())
        out += [f"address {raw.hex()}\n".encode() for _, raw in self.addresses]
        return b"".join(out) + b"go\n"

    def show(self):
        return "".join(f"# --- {layer.name} of {self.name}\n" + "".join(f"#   {i:3} {line}\n" for i, line in
                       enumerate(text.splitlines(), 1)) for layer, text in zip(self.layers, self.texts))


def ask(driver, cases):
    """One process for many policies. Returns the lines of each, and why the process ended early or None."""
    r = subprocess.run([driver], input=b"".join(c.request() for c in cases), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=300)
    out, lines = {}, None
    for line in r.stdout.decode(errors="replace").splitlines():
        word, _, rest = line.partition(" ")
        if word == "policy":
            lines = []
            name = rest
        elif word == "end":
            out[name] = lines
        elif lines is not None:
            lines.append((word, rest))
    return out, f"exit code {r.returncode}: {r.stderr.decode(errors='replace')[-1500:]}" if r.returncode else None


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("-n", type=int, default=1500, help="policies")
    p.add_argument("-s", "--seed", type=int, default=1)
    p.add_argument("--only", type=int, help="look at this one alone, with its text")
    p.add_argument("--driver", default=os.path.join(os.environ.get("BUILD", "build"), "tests", "policy", "policy-judge"))
    p.add_argument("--stop", action="store_true", help="end at the first disagreement")
    return p.parse_args()


def main():
    args = parse()
    begin = time.monotonic()
    bad, shown, facts = Counter(), 0, Counter()
    numbers = range(args.only - args.only % 2, args.only + 1) if args.only is not None else range(args.n)
    for first in range(0, len(numbers), BATCH):
        batch = cases(args.seed, numbers[first:first + BATCH])
        answers, why = ask(args.driver, batch)
        for case in batch:
            found = compare.compare(case, answers.get(case.name), facts)
            if case.name not in answers:
                found = [("ends", why or "no answer")]
            for check in {check for check, _ in found}:
                bad[check] += 1
            if found and shown < 3 or case.name == f"{args.seed}.{args.only}":
                shown += 1
                print(case.show() + "".join(f"# {check}: {text}\n" for check, text in found[:12]), end="")
            if case.name not in answers:
                break
        if bad and args.stop:
            break
    for i, check in enumerate(compare.CHECKS, 1):
        print(f"{'not ok' if bad[check] else 'ok'} {i} - {check}" + (f" ({bad[check]} policies)" if bad[check] else ""))
    print(f"1..{len(compare.CHECKS)}")
    print("# " + ", ".join(f"{n} {what}" for what, n in facts.items()) + f"; {time.monotonic() - begin:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
