# SPDX-License-Identifier: Apache-2.0
"""Statements of a policy as the judge holds them, and their text. Nothing here gives them meaning."""
from words import DEVICES, DISK_FLAGS, MIB, RUNS


class Statement:
    """One line. `what` is the sort, `line` is known once the layer has been written."""

    def __init__(self, what, open=False, **fields):
        self.what, self.open, self.line = what, open, 0
        self.__dict__.update(fields)

    def __repr__(self):
        return ("default " if self.open else "") + body(self)


class Layer:
    def __init__(self, name):
        self.name, self.statements = name, []

    def add(self, what, **fields):
        self.statements.append(Statement(what, **fields))
        return self.statements[-1]

    def text(self, noise=None):
        """noise: a random source for comments, blank lines and odd spacing."""
        lines = [f'policy {self.name} "{self.name} of the judge" version 1']
        for s in self.statements:
            line = repr(s)
            if noise and noise.random() < 0.1:
                lines.append(noise.choice(("", "# a comment -> with words", "\t", "   # and \"quotes\"")))
            if noise and noise.random() < 0.1:
                line = "\t" + line.replace(" -> ", "   ->\t") + "  # why not"
            s.line = len(lines) + 1
            lines.append(line)
        return "\n".join(lines) + "\n"


def size(n):
    for unit, name in ((1 << 30, "GiB"), (MIB, "MiB"), (1024, "KiB")):
        if n and n % unit == 0:
            return f"{n // unit} {name}"
    return f"{n} B"


def time(n):
    return f"{n // 60} min" if n and n % 60 == 0 else f"{n} s"


def flags(value, names):
    return [name for i, name in enumerate(names) if value >> i & 1]


def limits(s):
    out = ""
    if s.size:
        out += f" up to {size(s.size)}"
    if s.rate:
        out += f" rate {size(s.rate)}/s"
    if s.count:
        out += f" count {s.count}"
    if s.seconds:
        out += f" for {time(s.seconds)}"
    return out + (" quarantine" if s.quarantine else "") + (" read-only" if s.readonly else "")


def rule(s):
    what = ""
    if s.types:
        what += " types " + ", ".join(s.types)
    if s.ports:
        lo, hi = s.ports
        what += f" port {lo}" if lo == hi else f" ports {lo}-{hi}"
    return f"{s.id}: {s.verdict} {s.kind} {', '.join(s.ends[0])} -> {', '.join(s.ends[1])}{what}{limits(s)}"


def key(s):
    v = s.value
    if s.key == "title":
        return f'title "{v}"'
    if s.key == "colour":
        return f"colour #{v:06x}"
    if s.key in ("pattern", "class", "start", "order", "vcpus", "doorbells", "cache", "back-ends"):
        return f"{s.key} {v}" + ("%" if s.key == "cache" else "")
    if s.key == "memory":
        return f"memory {size(v)}"
    if s.key == "cpu-weight":
        return f"cpu weight {v}"
    if s.key in ("cpu-cap", "cpu-guarantee"):
        return f"cpu {s.key[4:]} {v}%"
    if s.key in ("disk-rate", "network-rate"):
        return f"{s.key[:-5]} rate {size(v)}/s"
    if s.key == "disk":
        return " ".join([f'disk "{v[0]}"'] + flags(v[1], DISK_FLAGS))
    if s.key == "device":
        return "device " + ", ".join(flags(v, DEVICES))
    if s.key in ("owns", "after"):
        return f"{s.key} " + ", ".join(v)
    if s.key == "restart":
        return "restart never" if v[0] == 0 else f"restart {v[0]} times within {time(v[1])}"
    if s.key == "health":
        return "health none" if not v[0] else f"health ready within {time(v[1])}"
    assert s.key == "run", s.key
    return "run " + (", ".join(flags(v, RUNS)) or "always")


def body(s):
    if s.what == "role":
        return f"role {s.name} = {', '.join(s.match)}"
    if s.what == "zone":
        return f"zone {s.name} = {', '.join(s.prefixes)}" + (" trusted" if s.trusted else "")
    if s.what == "carries":
        return f"carries {s.ends[0]} -> {s.ends[1]}"
    if s.what == "group":
        return f"group {s.name} = {', '.join(s.names)}"
    if s.what == "open":
        return "partitions"
    if s.what == "confirm":
        return f"confirm within {time(s.seconds)}"
    if s.what == "iommu":
        return "iommu " + ("required" if s.required else "wanted")
    if s.what == "partition":
        return f"partition {s.name}"
    if s.what == "key":
        return key(s)
    if s.what == "rule":
        return rule(s)
    if s.what == "may":
        verb = f"{s.person} may{' not' if s.deny else ''} "
        if s.keys:
            return verb + f"change {', '.join(s.keys)} of {', '.join(s.names)}"
        return verb + f"{', '.join(s.actions)} {', '.join(s.names)}"
    assert s.what == "claim", s.what
    kind = s.kind + " " if s.kind else ""
    return f"{s.claim} {kind}{s.ends[0]} -> {s.ends[1]}" + (" unless asked" if s.ask_closed else "")
