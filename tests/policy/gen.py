# SPDX-License-Identifier: Apache-2.0
"""Random small policies: few names, few kinds, so that rules meet; all layers, so that they meet there too."""
import copy

from layer import Layer
from words import (ACTIONS, CLASSES, DEVICES, JOINS, KEYS, KINDS, LAYERS, LIMITS, MIB, PATTERNS, PERSONS, PORTED, STARTS, VERDICTS,
                   types_of)

LAYER_SETS = ((30, ("vendor",)), (25, ("vendor", "it")), (30, LAYERS), (5, ("it",)), (5, ("it", "user")), (5, ("vendor", "user")))
PARTS = ("browser", "desktop", "vault", "management", "guest")
ROLES = {"keys": ("keyboard",), "mouse": ("pointer",), "screen": ("screen",), "speaker": ("speaker",), "nic": ("pci 0200",),
         "cam": ("usb 0e",), "stick": ("usb 08", "usb 1234:5678"), "printer": ("usb 07",), "both": ("keyboard", "pointer"), "wired": ("pci 02", "usb 1234:5678"),
         "card": ("pci 0302",), "usb": ("pci 0c03",)}
ZONES = {"net": ("0.0.0.0/0", "::/0"), "lan": ("10.0.0.0/8", "fe80::/10"), "corp": ("10.1.0.0/16",), "lab": ("10.1.2.0/24", "192.168.0.0/16"),
         "twin": ("10.1.0.0/16",), "host": ("10.1.2.3/32",), "home": ("192.168.0.0/17", "fd00::/8")}
PORTS = (1, 22, 23, 79, 80, 81, 443, 8000, 65534, 65535)
DISKS = ("/d/a.vhd", "/d/b.vhd", "/d/c.vhd")


def weighted(rng, table):
    return rng.choices([x for _, x in table], [w for w, _ in table])[0]


class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.sort = {"control": "c"}  # name -> node type
        self.groups = {}              # name -> members
        self.number = 0
        self.seen = []                # (partition, key)
        self.rules, self.mays = [], []
        self.keys = rng.sample(KEYS, 3)
        self.duel = rng.choice(KEYS) if self.chance(0.5) else None  # a key that every layer has a word about
        self.kinds = rng.sample(KINDS, rng.choice((1, 1, 2, 3)))
        if rng.random() < 0.4:
            self.kinds.append("network")

    def chance(self, p):
        return self.rng.random() < p

    def names(self, sorts):
        return [n for n, s in self.sort.items() if s in sorts]

    def policy(self):
        self.layers = [Layer(name) for name in weighted(self.rng, LAYER_SETS)]
        for i, layer in enumerate(self.layers):
            self.declare(i, layer)
            self.people(i, layer)
            for _ in range(self.rng.choice((0, 1, 2, 3, 5, 8))):
                self.rule(layer, i)
            if i == 0:
                self.prompt(layer)
            for _ in range(self.rng.choice((0, 0, 1, 2))):
                self.claim(layer)
        return self.layers

    # -- names and properties ---------------------------------------------------------------------------

    def declare(self, i, layer):
        rng = self.rng
        if i + 1 < len(self.layers) and self.chance(0.6):
            layer.add("open", open=True)
        if self.chance(0.5):
            layer.add("confirm", open=self.chance(0.4), seconds=rng.choice((10, 30, 60, 120)))
        if self.chance(0.5):
            layer.add("iommu", open=self.chance(0.4), required=self.chance(0.5))
        self.devices(i, layer)
        fresh = [n for n in PARTS if n not in self.sort]
        if i == 0:
            mine = ["control"] + rng.sample(fresh, rng.choice((1, 2, 2, 3, 4)))
        else:
            mine = [n for n in self.names("cp") if self.chance(0.6)]
            mine += rng.sample(fresh, 1) if fresh and self.chance(0.25) else []
        for name in mine:
            new = name not in self.sort or i == 0
            self.sort[name] = "c" if name == "control" else "p"
            layer.add("partition", name=name)
            self.properties(layer, name, new)
        for name in ("group-a", "group-b"):
            if name not in self.groups and self.chance(0.35):
                pool = [n for n in self.sort if self.sort[n] in rng.choice(("p", "p", "r", "z", "prz"))]
                if pool:
                    self.groups[name] = rng.sample(pool, rng.randint(1, min(3, len(pool))))
                    layer.add("group", name=name, names=self.groups[name])

    def devices(self, i, layer):
        rng = self.rng
        roles = [r for r in ROLES if r not in self.sort and (self.chance(0.35) or (i == 0 and r in ("keys", "screen")))]
        for name in roles if i == 0 or self.chance(0.3) else ():
            self.sort[name] = "r"
            layer.add("role", name=name, match=ROLES[name])
        zones = [z for z in ZONES if z not in self.sort and self.chance(0.1 if z == "twin" else 0.4)]
        rng.shuffle(zones)
        for name in zones if i == 0 or self.chance(0.5) else ():
            self.sort[name] = "z"
            layer.add("zone", name=name, prefixes=ZONES[name], trusted=self.chance(0.2))
        zones = self.names("z")
        if len(zones) > 1 and self.chance(0.3):
            layer.add("carries", ends=rng.sample(zones, 2))

    def properties(self, layer, name, new):
        given = [k for n, k in self.seen if n == name]
        keys = self.rng.sample(KEYS if self.chance(0.15) else self.keys, self.rng.choice((0, 1, 2, 3)))
        if given and self.chance(0.6):  # what an earlier layer said, again
            keys = list(dict.fromkeys(keys + self.rng.sample(given, min(len(given), 2))))
        if self.duel and self.chance(0.8) and self.duel not in keys:
            keys.append(self.duel)
        if new and self.chance(0.995):
            keys = [k for k in keys if k != "memory"] + ["memory"]
        if "disk" in keys:
            keys += ["disk"] * self.rng.choice((0, 0, 1))
        for key in keys:
            value = self.key_value(name, key)
            if value is not None:
                self.seen.append((name, key))
                layer.add("key", open=self.chance(0.4), key=key, value=value)
                if self.chance(0.02):  # once too often
                    layer.add("key", open=False, key=key, value=value)

    def key_value(self, name, key):
        rng = self.rng
        simple = {"title": lambda: rng.choice(("One", "Two", f"Of {name}", f"For {name}", f"The {name}")), "colour": lambda: rng.choice((0x112233, 0xabcdef)),
                  "pattern": lambda: rng.choice(PATTERNS[:3]), "class": lambda: rng.choice(CLASSES),
                  "order": lambda: rng.randint(1, 9), "memory": lambda: rng.choice((64, 128, 128, 256, 256, 4096 if self.chance(0.1) else 64)) * MIB,
                  "vcpus": lambda: rng.choice((1, 2, 4)), "cpu-weight": lambda: rng.choice((50, 100, 200)),
                  "cpu-cap": lambda: rng.choice((50, 100, 400)), "cpu-guarantee": lambda: rng.choice((10, 30, 60)),
                  "cache": lambda: rng.choice((20, 50, 100)), "doorbells": lambda: rng.choice((0, 4, 8, 16)),
                  "back-ends": lambda: rng.choice(("control", "none")), "disk-rate": lambda: rng.choice((1, 2, 20)) * MIB,
                  "network-rate": lambda: rng.choice((1, 2, 20)) * MIB, "device": lambda: rng.randint(1, (1 << len(DEVICES)) - 1),
                  "start": lambda: rng.choice(STARTS), "restart": lambda: rng.choice(((0, 60), (1, 60), (2, 60), (2, 90), (5, 30))),
                  "health": lambda: rng.choice(((0, 0), (1, 30), (1, 60))), "run": lambda: rng.randint(0, 3),
                  "disk": lambda: (DISKS[0] if self.duel == "disk" and self.chance(0.6) else rng.choice(DISKS), rng.choice((0, 0, 1, 2, 4, 5, 6)))}
        if key in simple:
            return simple[key]()
        pool = self.names("r") if key == "owns" else [n for n in self.names("p") if n != name]
        if key == "owns":
            pool = [r for r in pool if ROLES[r][0][:3] in ("pci", "usb")]
        return tuple(rng.sample(pool, rng.randint(1, min(2, len(pool))))) if pool else None

    # -- people -----------------------------------------------------------------------------------------

    def people(self, i, layer):
        rng = self.rng
        if i == 0 and self.duel and self.chance(0.8):
            layer.add("may", open=self.chance(0.2), person="user", deny=False, keys=[self.duel], actions=(), names=self.names("cp"))
        for _ in range(rng.choice((0, 1, 2, 4))):
            keys = rng.sample(KEYS if self.chance(0.3) else self.keys, rng.randint(1, 3)) if self.chance(0.5) else ()
            pool = self.names("cp")
            person = "user" if keys and self.chance(0.6) else rng.choice(PERSONS)
            said = {"person": person, "deny": self.chance(0.2 if keys else 0.4), "keys": keys,
                    "actions": () if keys else rng.sample(ACTIONS, rng.randint(1, 3)),
                    "names": rng.sample(pool, min(len(pool), rng.randint(1, 3)))}
            if self.mays and self.chance(0.5):  # a right that was spoken of before
                said = {**rng.choice(self.mays), "deny": self.chance(0.5)}
            self.mays.append(said)
            layer.add("may", open=self.chance(0.4), **said)

    # -- rules ------------------------------------------------------------------------------------------

    def end(self, kind, which):
        sorts = JOINS[kind][which]
        pool = self.names(sorts) + [g for g, m in self.groups.items() if any(self.sort[n] in sorts for n in m)]
        if self.chance(0.05):
            pool = list(self.sort)
        if not pool or self.chance(0.25):
            return ["any"]
        return self.rng.sample(pool, min(len(pool), self.rng.choice((1, 1, 1, 2, 3))))

    def rule(self, layer, i):
        rng = self.rng
        if self.rules and self.chance(0.4):  # the same question again
            old = rng.choice(self.rules)
            kind, ends, types, ports = old.kind, old.ends, old.types, old.ports
            if self.chance(0.4):
                ends = (ends[0], self.end(kind, 1))
        else:
            kind = rng.choice(self.kinds)
            ends, types, ports = (self.end(kind, 0), self.end(kind, 1)), (), None
            if types_of(kind) != ("",) and self.chance(0.5):
                types = rng.sample(types_of(kind), rng.randint(1, min(3, len(types_of(kind)))))
            if kind in PORTED and self.chance(0.6):
                ports = tuple(sorted((rng.choice(PORTS), rng.choice(PORTS)))) if self.chance(0.6) else (rng.choice(PORTS),) * 2
                types = [t for t in types if t != "icmp"]
        self.number += 1
        verdict = rng.choice(VERDICTS)
        self.rules.append(layer.add("rule", open=self.chance(0.4), id=f"r{self.number}", verdict=verdict, kind=kind,
                                    ends=ends, types=types, ports=ports, **self.limits(kind, verdict)))

    def limits(self, kind, verdict):
        """Limits that a kind can have, each with even odds; those of denying rules are none."""
        out = {"size": 0, "rate": 0, "count": 0, "seconds": 0, "quarantine": False, "readonly": False}
        sizes = (1000, 2048, 5 * MIB, 1 << 31)
        for limit in LIMITS[kind]:
            if verdict != "deny" and self.chance(0.4):
                out[limit] = True if limit in ("quarantine", "readonly") else self.rng.choice(sizes if limit in ("size", "rate")
                                                                                               else (1, 5, 60, 90))
        return out

    def prompt(self, layer):
        """What each machine needs; now and then it is missing."""
        none = {"types": (), "ports": None, **self.limits("input", "deny")}
        if self.chance(0.95):
            layer.add("rule", id="prompt-keys", verdict="allow", kind="input", ends=(["keys"], ["control"]), **none)
        if self.chance(0.95):
            layer.add("rule", id="prompt-screen", verdict="allow", kind="display", ends=(["control"], ["screen"]), **none)

    def claim(self, layer):
        rng = self.rng
        pool = list(self.sort) + list(self.groups)
        claim = rng.choice(("never", "never", "only", "always"))
        kind = rng.choice(self.kinds) if self.chance(0.4) or claim == "always" else None
        layer.add("claim", claim=claim, kind=kind, ends=(rng.choice(pool), rng.choice(pool)),
                  ask_closed=claim == "never" and self.chance(0.3))


def change(rng, layers):
    """The same policy with a few other numbers, as IT would change it on a machine that runs."""
    layers = copy.deepcopy(layers)
    amounts = {"memory": (64 * MIB, 128 * MIB, 256 * MIB), "vcpus": (1, 2, 4), "cpu-weight": (50, 100, 200), "cpu-cap": (50, 100, 400),
               "doorbells": (0, 4, 8, 16), "back-ends": ("control", "none")}
    for layer in layers:
        out = []
        for s in layer.statements:
            if s.what == "key" and s.key in amounts and rng.random() < 0.4:
                s.value = rng.choice(amounts[s.key])
            if not (s.what in ("claim", "iommu") and rng.random() < 0.5):
                out.append(s)
        layer.statements = out
    return layers
