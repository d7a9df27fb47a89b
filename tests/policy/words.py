# SPDX-License-Identifier: Apache-2.0
"""Words and numbers of the policy language as docs/SPEC-policy.md gives them, typed a second time for the judge."""

LAYERS = ("vendor", "it", "user")
VERDICTS = ("deny", "ask", "allow")  # looser is greater

KINDS = ("clipboard", "file", "link", "channel", "network", "usb", "camera", "microphone", "sound", "capture", "print",
         "folder", "input", "display")
TYPES = {"clipboard": ("text", "rich", "image", "files", "other"),
         "file": ("document", "image", "media", "archive", "program", "other"),
         "link": ("https", "http", "mailto", "other"),
         "network": ("tcp", "udp", "icmp")}
PORTED = ("channel", "network")
# What a kind joins: pairs of sets of node types; "c" is the control partition, "p" another one, "r" a role, "z" a zone.
JOINS = {"clipboard": ("p", "p"), "file": ("p", "p"), "link": ("p", "p"), "channel": ("p", "p"), "capture": ("p", "p"),
         "folder": ("p", "p"), "network": ("pz", "pz"), "usb": ("r", "p"), "camera": ("r", "p"), "microphone": ("r", "p"),
         "sound": ("p", "r"), "print": ("p", "rp"), "input": ("r", "pc"), "display": ("pc", "r")}
# Limits that a rule of a kind can have.
LIMITS = {"clipboard": ("size", "rate", "count", "seconds", "quarantine"), "file": ("size", "rate", "count", "quarantine"),
          "link": ("size", "count"), "channel": ("rate", "count"), "network": ("rate", "count"),
          "usb": ("rate", "seconds", "readonly"), "camera": ("rate", "seconds"), "microphone": ("rate", "seconds"),
          "sound": ("rate", "seconds"), "capture": ("rate", "seconds"), "print": ("size", "count"),
          "folder": ("size", "rate", "quarantine", "readonly"), "input": (), "display": ()}
BOTH_WAYS = ("network", "usb", "folder")  # a folder that is read-only goes one way

KEYS = ("title", "colour", "pattern", "class", "order", "memory", "vcpus", "cpu-weight", "cpu-cap", "cpu-guarantee", "cache",
        "doorbells", "back-ends", "disk-rate", "network-rate", "disk", "device", "owns", "start", "after", "restart",
        "health", "run")
PERSONS = ("user", "admin", "it")
ACTIONS = ("see", "start", "stop", "pause", "reset", "attach")
CLASSES = ("user", "limited", "it-only")  # tighter is greater
STARTS = ("never", "manual", "boot")
PATTERNS = ("plain", "stripes", "dots", "checks", "waves", "bars")
DISK_FLAGS = ("read-only", "throw-away", "encrypted")  # bits 1, 2, 4
DEVICES = ("console", "entropy", "gpu", "keyboard", "pointer")  # bits 1, 2, 4, 8, 16
RUNS = ("mains", "idle")  # bits 1, 2

MIB = 1 << 20


def types_of(kind):
    return TYPES.get(kind, ("",))


def bits(words, of):
    return sum(1 << of.index(w) for w in words)
