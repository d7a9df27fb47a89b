# SPDX-License-Identifier: Apache-2.0
"""What a policy means, by brute force from docs/SPEC-policy.md: slow, plain, and without a look at the compiler."""
import ipaddress

from words import (ACTIONS, BOTH_WAYS, CLASSES, DEVICES, DISK_FLAGS, JOINS, KEYS, KINDS, LAYERS, PERSONS, PORTED, STARTS,
                   VERDICTS, types_of)

DEFAULTS = {"class": "user", "start": "manual", "vcpus": 1, "cpu-weight": 100, "cpu-cap": 0, "cpu-guarantee": 0, "cache": 0,
            "doorbells": 8, "back-ends": "control", "disk-rate": 0, "network-rate": 0, "device": 0, "owns": (), "after": (),
            "restart": (2, 60), "health": (0, 0), "run": 0}
FREE_AT_FIRST = ("memory", "title", "colour", "pattern", "order")  # no default: whoever gives them first sets them
ZERO_IS_NONE = ("cpu-cap", "cache", "disk-rate", "network-rate")   # no limit, the loosest


class Node:
    def __init__(self, name, sort, layer, s=None):
        self.name, self.sort, self.layer, self.statement = name, sort, layer, s


class Value:
    def __init__(self, value, layer, open, replaced=False):
        self.value, self.layer, self.open = value, layer, open
        self.replaced = replaced  # at will, not tightened


class Part:
    def __init__(self, name, layer):
        self.name, self.layer = name, layer
        self.value = {}
        self.disks = {}  # file -> Value of flags, in order


class Rule:
    def __init__(self, s, layer, sources, targets):
        self.s, self.layer, self.sources, self.targets = s, layer, sources, targets
        self.number = 0


def tightens(key, old, new):
    """Whether a later layer may put `new` where `old` stands fixed."""
    if old == new:
        return True
    if key in ("memory", "vcpus", "cpu-weight", "cpu-guarantee", "doorbells"):
        return new <= old
    if key in ZERO_IS_NONE:
        return old == 0 or new <= old
    if key == "class":
        return CLASSES.index(new) >= CLASSES.index(old)
    if key == "start":
        return STARTS.index(new) <= STARTS.index(old)
    if key == "back-ends":
        return new == "none"
    if key == "device":
        return new & ~old == 0
    if key == "owns":
        return set(new) <= set(old)
    if key == "after":
        return set(new) >= set(old)
    if key == "run":
        return old & ~new == 0
    if key == "restart":
        return new[0] == 0 or (new[0] <= old[0] and new[1] >= old[1])  # in a longer time
    if key == "health":
        return new[0] == old[0] and new[1] <= old[1]
    return False  # title, colour, pattern, order


def class_gives(name):
    """Actions of each person by the class of the partition."""
    if name == "user":
        return {p: set(ACTIONS) for p in PERSONS}
    if name == "limited":
        return {"user": {"see"}, "admin": {"see", "start", "stop", "reset", "attach"}, "it": set(ACTIONS)}
    return {"user": set(), "admin": set(), "it": set(ACTIONS)}


class World:
    """layers: those that are there, vendor first."""

    def __init__(self, layers):
        self.layers = layers
        self.errors = set()  # (layer name, line)
        self.known = None    # answers, once they were worked out
        self.missing = False  # a partition does not say its memory, or has the title of another one
        self.nodes, self.groups, self.parts = {}, {}, {}
        self.rights, self.open_rights = {p: {} for p in PERSONS}, set()
        self.carried, self.rules, self.claims = [], [], []
        self.confirm, self.iommu = Value(120, 0, False), Value(False, 0, False)
        self.addresses = {}  # network -> zone name
        self.declare("control", "c", 0, None)
        for i, layer in enumerate(layers):
            self.take_names(i, layer)
            self.take_properties(i, layer)
            self.take_rights(i, layer)
        for i, layer in enumerate(layers):
            self.take_rules(i, layer)
        self.carries = {(a, b) for i, ends in self.carried for a in self.with_inside(i, ends[0])
                        for b in self.with_inside(i, ends[1]) if a != b}
        for part in self.parts.values():
            if "memory" not in part.value and not self.errors:
                self.missing = True
        if not self.errors:
            titles = [(self.value(p, "title") or p)[:15].lower() for p in self.parts]
            self.missing |= len(set(titles)) < len(titles)
        if self.missing:
            self.errors.add(("", 0))

    def wrong(self, i, s):
        self.errors.add((self.layers[i].name, s.line))

    # -- names ------------------------------------------------------------------------------------------

    def declare(self, name, sort, i, s):
        if name in self.nodes or name in self.groups:
            self.wrong(i, s)
            return
        self.nodes[name] = Node(name, sort, i, s)
        if sort in "cp":
            self.parts[name] = Part(name, i)

    def take_names(self, i, layer):
        may_add = i == 0 or any(s.what == "open" for s in self.layers[i - 1].statements)
        for s in layer.statements:
            if s.what == "partition" and s.name not in self.parts:
                if not may_add:
                    self.wrong(i, s)
                else:
                    self.declare(s.name, "p", i, s)
            elif s.what == "role":
                self.declare(s.name, "r", i, s)
            elif s.what == "zone":
                self.declare(s.name, "z", i, s)
                for text in s.prefixes:
                    net = ipaddress.ip_network(text)
                    if net in self.addresses:
                        self.wrong(i, s)
                    self.addresses[net] = s.name
        for s in layer.statements:
            if s.what == "group":
                if s.name in self.nodes or s.name in self.groups:
                    self.wrong(i, s)
                    continue
                if any(n not in self.nodes for n in s.names):
                    self.wrong(i, s)
                self.groups[s.name] = list(s.names)
            elif s.what == "carries":
                if all(n in self.nodes and self.nodes[n].sort == "z" for n in s.ends):
                    self.carried.append((i, s.ends))
                else:
                    self.wrong(i, s)

    # -- properties -------------------------------------------------------------------------------------

    def default_of(self, part, key):
        if key == "doorbells" and part.name == "control":
            return 0
        return DEFAULTS[key]

    def value(self, part, key):
        """What holds in the end."""
        part = self.parts[part]
        if key in part.value:
            return part.value[key].value
        return self.default_of(part, key) if key in DEFAULTS else None

    def take_properties(self, i, layer):
        part, given = None, set()
        self.disks_open = {p.name for p in self.parts.values() if p.layer == i or
                           any(d.open and d.layer == i - 1 for d in p.disks.values())}
        for s in layer.statements:
            if s.what == "partition":
                part = self.parts.get(s.name)
                given = set() if part is None else {k for k in given if k[0] == s.name}
            elif s.what == "key" and part is not None:
                mark = (part.name, s.key, s.value[0] if s.key == "disk" else "")
                if mark in given:
                    self.wrong(i, s)
                    continue
                given.add(mark)
                if self.binds_user(i) and part.layer != i and ("change", s.key) not in self.rights["user"].get(part.name, ()):
                    self.wrong(i, s)
                    continue
                if s.key == "disk":
                    self.take_disk(i, part, s)
                else:
                    self.take_key(i, part, s)
            elif s.what == "confirm":
                self.take_machine(i, s, "confirm", s.seconds)
            elif s.what == "iommu":
                self.take_machine(i, s, "iommu", s.required)

    def binds_user(self, i):
        """Whether layer i is a person's, under others."""
        return self.layers[i].name == "user" and i > 0

    def take_machine(self, i, s, name, value):
        """The two keys of the machine: confirm may become shorter, iommu required."""
        old = getattr(self, name)
        if i == 0 or (old.open and old.layer == i - 1):
            setattr(self, name, Value(value, i, s.open))
        elif value == old.value or (value < old.value if name == "confirm" else value):
            setattr(self, name, Value(value, i, False))
        else:
            self.wrong(i, s)

    def take_key(self, i, part, s):
        sort = {"owns": "r", "after": "p"}.get(s.key)
        if sort and any(n not in self.nodes or self.nodes[n].sort != sort or n == part.name for n in s.value):
            self.wrong(i, s)
            return
        old = part.value.get(s.key)
        if old is None and (part.layer == i or s.key in FREE_AT_FIRST):
            part.value[s.key] = Value(s.value, i, s.open)
            return
        if old is None:
            old = Value(self.default_of(part, s.key), part.layer, False)
        if old.open and old.layer == i - 1:
            part.value[s.key] = Value(s.value, i, s.open, True)
        elif tightens(s.key, old.value, s.value):
            part.value[s.key] = Value(s.value, i, False)
        else:
            self.wrong(i, s)

    def take_disk(self, i, part, s):
        name, flags = s.value
        old = part.disks.get(name)
        if old is None:
            if part.name in self.disks_open:
                part.disks[name] = Value(flags, i, s.open)
            else:
                self.wrong(i, s)
        elif old.open and old.layer == i - 1:
            part.disks[name] = Value(flags, i, s.open)
        elif old.value & ~flags == 0:
            part.disks[name] = Value(flags, i, False)
        else:
            self.wrong(i, s)

    # -- people -----------------------------------------------------------------------------------------

    def take_rights(self, i, layer):
        for part in self.parts.values():
            cls = part.value.get("class")
            gives = class_gives(cls.value if cls else "user")
            if part.layer == i:
                for person in PERSONS:
                    self.rights[person][part.name] = set(gives[person])
                self.rights["it"][part.name] |= {("change", k) for k in KEYS}
            elif cls and cls.layer == i:
                self.change_class(part, cls.replaced, gives)
        open_next = set()
        for s in layer.statements:
            if s.what == "may":
                self.take_may(i, s, open_next)
        self.open_rights = open_next

    def change_class(self, part, replaced, gives):
        for person in PERSONS:
            rights = self.rights[person][part.name]
            if replaced:
                self.rights[person][part.name] = set(gives[person]) | {r for r in rights if r[0] == "change"}
            else:
                self.rights[person][part.name] = {r for r in rights if r[0] == "change" or r in gives[person]}

    def take_may(self, i, s, open_next):
        if self.binds_user(i) and s.person != "user":
            self.wrong(i, s)
            return
        wanted = {("change", k) for k in s.keys} if s.keys else set(s.actions)
        for name in [m for n in s.names for m in self.groups.get(n, [n])]:
            part = self.parts.get(name)
            if part is None:
                self.wrong(i, s)
                continue
            rights = self.rights[s.person][name]
            for right in wanted:
                mark = (s.person, name, right)
                free = part.layer == i or mark in self.open_rights
                if s.deny:
                    rights.discard(right)
                elif free:
                    rights.add(right)
                elif right not in rights:
                    self.wrong(i, s)
                if s.open and free:
                    open_next.add(mark)

    # -- rules ------------------------------------------------------------------------------------------

    def end(self, i, names, kind, which):
        """Nodes that an end of a rule names; None: one of the names has nothing that may stand there."""
        fits = {n.name for n in self.nodes.values() if n.sort in JOINS[kind][which] and
                not (self.binds_user(i) and not self.is_users(n))}
        out = set()
        for name in names:
            if name == "any":
                out |= {n for n in fits if n != "control" or kind in ("input", "display")}
                continue
            members = set(self.groups.get(name, [name]))
            for member in list(members):
                if member not in self.nodes:
                    return None
                if self.nodes[member].sort == "z":
                    members |= self.inside(i, member)
            if not members & fits:
                return None
            out |= members & fits
        return out

    def is_users(self, node):
        """Whether rules of the user layer may name it."""
        return node.sort in "rz" or (node.sort == "p" and self.value(node.name, "class") == "user")

    def inside(self, i, zone):
        """Zones of later layers that take addresses out of this one, as the layers up to i see it."""
        out = set()
        for net, owner in self.addresses.items():
            if self.nodes[owner].layer <= i:
                continue
            around = [n for n, z in self.addresses.items() if n.version == net.version and n != net and
                      self.nodes[z].layer <= i and net.subnet_of(n)]
            if around and self.addresses[max(around, key=lambda n: n.prefixlen)] == zone:
                out.add(owner)
        return out

    def with_inside(self, i, zone):
        return {zone} | self.inside(i, zone)

    def take_rules(self, i, layer):
        for s in layer.statements:
            if s.what == "rule":
                sources, targets = self.end(i, s.ends[0], s.kind, 0), self.end(i, s.ends[1], s.kind, 1)
                itself = len(s.ends[0]) == 1 and s.ends[0] == s.ends[1] and s.ends[0][0] in self.nodes
                if sources is None or targets is None or itself:
                    self.wrong(i, s)
                    continue
                self.rules.append(Rule(s, i, sources, targets))
            elif s.what == "claim":
                ends = [set(self.groups.get(n, [n])) for n in s.ends]
                if any(n not in self.nodes for e in ends for n in e):
                    self.wrong(i, s)
                    continue
                ends = [e | {z for n in e if self.nodes[n].sort == "z" for z in self.inside(i, n)} for e in ends]
                self.claims.append((i, s, ends))

    # -- decisions --------------------------------------------------------------------------------------

    def ports(self):
        """Every place where an answer can change, and both sides of it."""
        out = {0, 65535}
        for r in self.rules:
            if r.s.ports:
                out |= {r.s.ports[0], r.s.ports[1], max(r.s.ports[0] - 1, 0), min(r.s.ports[1] + 1, 65535)}
        return sorted(out)

    def decide(self, layers, type_, port, reached=None):
        """layers: for each layer the rules that fit kind and ends, in order. The lines of the document, one by one.
        reached: takes the rules that say anything new when their layer has its say."""
        verdict, rule, limits, is_open = 0, None, None, True
        for rules in layers:
            hit = None
            for r in rules:
                s = r.s
                types = s.types or (("tcp", "udp") if s.kind == "network" and s.ports else None)
                if (not types or type_ in types) and (not s.ports or s.ports[0] <= port <= s.ports[1]):
                    hit = r
                    break
            if hit is None:
                is_open = False
            elif is_open:
                s = hit.s
                if reached is not None:
                    reached.add(s.id)
                verdict, rule, is_open = VERDICTS.index(s.verdict), hit, s.open
                limits = (s.size, s.rate, s.count, s.seconds, s.quarantine, s.readonly)
            else:
                s = hit.s
                before = verdict, limits
                if VERDICTS.index(s.verdict) < verdict:
                    verdict, rule = VERDICTS.index(s.verdict), hit
                new = (s.size, s.rate, s.count, s.seconds)
                if limits is not None:
                    small = [min(a, b) if a and b else a or b for a, b in zip(limits, new)]
                    limits = (*small, limits[4] or s.quarantine, limits[5] or s.readonly)
                is_open = False
                if reached is not None and (verdict < before[0] or (verdict and limits != before[1])):
                    reached.add(s.id)
        return verdict, rule, limits

    def reached(self):
        """Rules that decide something, and those that would if a node could meet itself."""
        return self.must, self.must | self.itself

    def answers(self):
        """(kind, from, to, type, port) -> (verdict, rule, limits) for each question that a rule answers."""
        if not self.known:
            self.known = self.work_out()
        return self.known

    def work_out(self):
        out, ports = {}, self.ports()
        must, itself = set(), set()
        for kind in KINDS:
            rules = [r for r in self.rules if r.s.kind == kind]
            if not rules:
                continue
            for a in self.nodes:
                for b in self.nodes:
                    if self.nodes[a].sort + self.nodes[b].sort == "zz":
                        continue  # no question
                    layers = [[r for r in rules if r.layer == i and a in r.sources and b in r.targets]
                              for i in range(len(self.layers))]
                    if not any(layers):
                        continue
                    for type_ in types_of(kind):
                        for port in ports if kind in PORTED else (0,):
                            answer = self.decide(layers, type_, port, must if a != b else itself)
                            if answer[1] is not None and a != b:
                                out[kind, a, b, type_, port] = answer
        self.must, self.itself = must, itself
        return out

    def zone(self, address):
        """Of its longest prefix; an IPv4 address is in zones of IPv4 only."""
        fits = [n for n in self.addresses if n.version == address.version and address in n]
        return self.addresses[max(fits, key=lambda n: n.prefixlen)] if fits else None

    # -- what reaches what ------------------------------------------------------------------------------

    def is_writer(self, flags):
        return flags & 3 == 0  # neither read-only nor thrown away

    def edges(self, answers, kind, ask_open):
        """Direct ways (from, to) of data; kind None: of all kinds, and what is no kind."""
        out = set()
        for (k, a, b, _, _), (verdict, _, limits) in answers.items():
            if kind in (None, k) and verdict >= (1 if ask_open else 2):
                out.add((a, b))
                if k in BOTH_WAYS and not (k == "folder" and limits[5]):
                    out.add((b, a))
        if kind is None:
            for part in self.parts.values():
                for role in self.value(part.name, "owns"):
                    out |= {(part.name, role), (role, part.name)}
                for name, flags in part.disks.items():
                    for other in self.parts.values():
                        if other is not part and name in other.disks and self.is_writer(flags.value):
                            out.add((part.name, other.name))
        if kind in (None, "network"):
            out |= self.carries
        return {e for e in out if e[0] != e[1]}

    def parts_of_zones(self, i):
        """Ways between a zone as layer i knows it and what later layers took out of it."""
        pairs = {(a, b) for a in self.nodes if self.nodes[a].sort == "z" and self.nodes[a].layer <= i for b in self.inside(i, a)}
        return pairs | {(b, a) for a, b in pairs}

    def is_trusted(self, name, i):
        """An earlier layer does not take the user's word for it: only what it knows around that zone counts."""
        node = self.nodes[name]
        if i >= len(self.layers) or node.layer <= i or self.layers[node.layer].name != "user" or not node.statement.trusted:
            return node.statement.trusted
        around = [a for a in self.nodes if self.nodes[a].sort == "z" and self.nodes[a].layer <= i and name in self.inside(i, a)]
        return bool(around) and all(self.nodes[a].statement.trusted for a in around)

    def passes(self, name, i):
        """Whether data goes on from here, for layer i."""
        node = self.nodes[name]
        if node.sort == "c":
            return False
        if node.sort == "z":
            return not self.is_trusted(name, i)
        if node.sort == "r":
            return not any(m in ("keyboard", "pointer", "screen", "speaker") for m in node.statement.match)
        return True

    def distances(self, edges, i=len(LAYERS)):
        """Floyd and Warshall: steps of the shortest way, for layer i."""
        far = 1 << 30
        d = {(a, b): far for a in self.nodes for b in self.nodes}
        for e in edges:
            d[e] = 1
        for k in self.nodes:
            if not self.passes(k, i):
                continue
            for a in self.nodes:
                ak = d[a, k]
                if ak == far:
                    continue
                for b in self.nodes:
                    if ak + d[k, b] < d[a, b]:
                        d[a, b] = ak + d[k, b]
        return {e: n for e, n in d.items() if n < far and e[0] != e[1]}

    def table_refuses(self):
        """Why a proved policy makes no table: root mode goes by owned PCI roles alone and gives each one device, so that no role
        before may be unowned, or a class that is another partition's."""
        roles = [n for n, node in self.nodes.items() if node.sort == "r"]
        for at, role in enumerate(roles):
            mine = set(self.owners(role)) - {"control"}
            for other in roles[:at] if mine else ():
                theirs = set(self.owners(other)) - {"control"}
                for x in self.nodes[role].statement.match:
                    for y in self.nodes[other].statement.match:
                        if x.startswith("pci") and y.startswith("pci") and self.overlap(x.split()[1], y.split()[1]) and \
                           (not theirs or (theirs != mine and ":" in x and ":" not in y)):
                            return True
        return False

    @staticmethod
    def overlap(x, y):
        """Whether some device can fit both."""
        return ":" in x + y and (x == y or (":" in x) != (":" in y)) or x.startswith(y) or y.startswith(x)

    def bounds(self, other):
        """Whether a machine that was started with this policy may go over to the other one while it runs."""
        if list(self.parts) != list(other.parts) or bool(self.iommu.value) != bool(other.iommu.value) or \
           self.devices() != other.devices():
            return False
        for p in self.parts:
            if any(other.value(p, key) > self.value(p, key) for key in ("memory", "vcpus", "doorbells")):
                return False
            if p != "control" and other.value(p, "back-ends") == "control" and self.value(p, "back-ends") == "none":
                return False
        return True

    def devices(self):
        """What root mode assigns: role, match and owner, in order."""
        return [(name, match, owner) for name, node in self.nodes.items() if node.sort == "r" for owner in self.owners(name)
                if owner != "control" for match in node.statement.match if match.startswith("pci")]

    def vain(self):
        """(layer, line) of assertions that no policy of these names could break, and of roles that no device is of."""
        out = set()
        for i, s, (sources, targets) in self.claims:
            leave = arrive = "cprz"
            if s.kind:
                leave, arrive = JOINS[s.kind]
                if s.kind in BOTH_WAYS or s.claim == "only":
                    leave = arrive = leave + arrive
            pairs = [(a, b) for a in sources for b in targets if a != b and self.nodes[a].sort in leave and self.nodes[b].sort in arrive]
            if s.claim == "only":  # one that names its own target keeps everybody else from it
                pairs = any(self.nodes[b].sort in arrive for b in targets)
            if s.claim != "always" and not pairs:
                out.add((i, s.line))
        roles = [node for node in self.nodes.values() if node.sort == "r"]
        for at, node in enumerate(roles):
            if all(any(m == o or (":" not in m + o and " " in o and m.startswith(o))
                       for other in roles[:at] for o in other.statement.match) for m in node.statement.match):
                out.add((node.layer, node.statement.line))
        return out

    # -- proofs -----------------------------------------------------------------------------------------

    def proofs(self, answers):
        """Names of those that fail."""
        out = {s.claim for i, s, ends in self.claims if not getattr(self, "holds_" + s.claim)(answers, i, s, *ends)}
        for name in ("keyboard", "screen", "memory", "cpu", "owner", "order", "disk"):
            if not getattr(self, "holds_" + name)(answers):
                out.add(name)
        return out

    def holds_never(self, answers, i, s, sources, targets):
        """No way of any length; a question counts as open unless the assertion says otherwise."""
        edges = self.edges(answers, s.kind, not s.ask_closed)
        if s.kind in (None, "network"):
            edges |= self.parts_of_zones(i)
        reach = self.distances(edges, i)
        return not any((a, b) in reach for a in sources for b in targets)

    def holds_only(self, answers, i, s, sources, targets):
        """Nobody else has a direct way to or from the targets."""
        return not any((b in targets and a not in sources | targets) or (a in targets and b not in sources | targets)
                       for a, b in self.edges(answers, s.kind, True))

    def holds_always(self, answers, i, s, sources, targets):
        """Allowed for each type and port, by rules that nobody may change any more."""
        kinds = [s.kind] if s.kind else KINDS
        return all(any(self.always(answers, k, a, b) for k in kinds) for a in sources for b in targets if a != b)

    def always(self, answers, kind, a, b):
        found = [answers.get((kind, a, b, t, p)) for t in types_of(kind) for p in (self.ports() if kind in PORTED else (0,))]
        return all(f and f[0] == 2 and not f[1].s.open for f in found)

    def roles(self, word):
        return [n for n, node in self.nodes.items() if node.sort == "r" and word in node.statement.match]

    def owners(self, role):
        return [p for p in self.parts if role in self.value(p, "owns")]

    def is_controls(self, answers, word, kind):
        """A device belongs to the first role that it fits, so the others of that sort get none."""
        for role in self.roles(word)[:1]:
            a, b = (role, "control") if kind == "input" else ("control", role)
            return not self.owners(role) and answers.get((kind, a, b, "", 0), (0,))[0] == 2
        return False

    def holds_keyboard(self, answers):
        return self.is_controls(answers, "keyboard", "input")

    def holds_screen(self, answers):
        cards = [x for p in self.parts for role in self.value(p, "owns") for x in self.nodes[role].statement.match]
        return self.is_controls(answers, "screen", "display") and not any(x.startswith("pci 03") for x in cards)

    def holds_memory(self, answers):
        return all(self.value(p, "memory") % (2 << 20) == 0 and self.value(p, "memory") <= 3 << 30 for p in self.parts)

    def holds_cpu(self, answers):
        pull = {p: self.value(p, "cpu-weight") * self.value(p, "vcpus") for p in self.parts}
        for p in self.parts:
            guarantee, cap = self.value(p, "cpu-guarantee"), self.value(p, "cpu-cap")
            if guarantee and (0 < cap < guarantee or 100 * pull[p] < guarantee * sum(pull.values())):
                return False
        return True

    def holds_owner(self, answers):
        """Nobody but the one owner has a device, or is asked about it."""
        for role in [n for n, node in self.nodes.items() if node.sort == "r"]:
            owners = self.owners(role)
            if len(owners) > 1:
                return False
            if owners and any(role in q[1:3] and self.nodes[b].sort in "cp" and b != owners[0] and v[0] > 0
                              for q, v in answers.items() for b in q[1:3]):
                return False
            for other in [n for n, node in self.nodes.items() if node.sort == "r" and n != role]:
                if owners and self.owners(other) and owners != self.owners(other) and \
                   self.same_devices(self.nodes[role].statement.match, self.nodes[other].statement.match):
                    return False
        return True

    @staticmethod
    def same_devices(a, b):
        """Whether two roles name some device in the same way: a class within another, one word, one maker and product."""
        def same(x, y):
            if x.split()[0] != y.split()[0]:
                return False
            if ":" in x or ":" in y or " " not in x:
                return x == y
            x, y = x.split()[1], y.split()[1]
            return x.startswith(y) or y.startswith(x)
        return any(same(x, y) for x in a for y in b)

    def holds_order(self, answers):
        """Partitions can be started one after the other."""
        if any(self.value(p, "start") != "never" and self.value(q, "start") == "never"
               for p in self.parts for q in self.before(p)):
            return False
        left = set(self.parts)
        while True:
            ready = {p for p in left if not set(self.value(p, "after")) & left}
            if not ready:
                return not left
            left -= ready

    def before(self, part):
        """All that must run before it."""
        out, todo = set(), list(self.value(part, "after"))
        while todo:
            p = todo.pop()
            if p not in out:
                out.add(p)
                todo += self.value(p, "after")
        return out

    def holds_disk(self, answers):
        parts = list(self.parts.values())
        for part in parts:
            flags = [v.value for v in part.disks.values()]
            if any(f & 4 for f in flags) and any(self.is_writer(f) and not f & 4 for f in flags):
                return False
        return not any(p is not q and f in q.disks and self.is_writer(v.value) and self.is_writer(q.disks[f].value)
                       for p in parts for q in parts for f, v in p.disks.items())
