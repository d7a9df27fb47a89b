# SPDX-License-Identifier: Apache-2.0
"""Holds what the driver printed about a policy against what the model says. Each check has a name; tests/policy/mutants.py
names the one that each mutant must fail."""
from words import (ACTIONS, CLASSES, KEYS, KINDS, LAYERS, PATTERNS, PERSONS, PORTED, STARTS, VERDICTS, bits, types_of)

CHECKS = ("ends", "parse", "errors", "nodes", "keys", "disks", "machine", "rights", "decisions", "reached", "reach", "paths",
          "never", "only", "always", "keyboard", "screen", "memory", "cpu", "owner", "order", "disk", "warnings", "chain", "table",
          "table-rights", "zones", "parts", "gate", "load")
DENIED = 2  # what root mode says to a table that goes past that of the boot
PROOFS = ("never", "only", "always", "keyboard", "screen", "memory", "cpu", "owner", "order", "disk")


class Found(list):
    def want(self, check, what, expected, got):
        if expected != got:
            self.append((check, f"{what}: model {expected}, program {got}"))
        return expected == got

    def want_same(self, check, expected, got):
        """Two dicts; names a few keys that differ."""
        for key in [k for k in {**expected, **got} if expected.get(k) != got.get(k)][:4]:
            self.append((check, f"{key}: model {expected.get(key)}, program {got.get(key)}"))


def group(lines):
    out = {}
    for word, rest in lines:
        out.setdefault(word, []).append(rest)
    return out


def stage_diags(lines, stage):
    """(file, line) of the errors that the driver printed right behind a stage."""
    out, on = set(), False
    for word, rest in lines:
        if word == "diag" and on:
            level, file, line = rest.split(" ", 3)[:3]
            if level == "0":
                out.add((int(file), int(line)))
        else:
            on = word == stage
    return out


def compare(case, lines, facts):
    found = Found()
    if lines is None:
        return found
    facts["policies"] += 1
    said, world = group(lines), case.world
    for text in said.get("oddity", []):
        found.append(("decisions", text))
    if not found.want("parse", "return value", "0", said["parse"][0]):
        found += [("parse", text) for text in said.get("diag", [])]
        return found
    compare_errors(case, lines, said, found)
    if world.errors or found:
        facts["refused"] += 1
        found.want("chain", "return value", "-1", said["chain"][0].split()[0])
        return found
    compare_model(world, said, found)
    names = [text.split()[0] for text in said["node"]]
    answers = world.answers()
    compare_cells(world, answers, names, said, found, facts)
    compare_closure(case, answers, names, said, found, facts)
    proofs = compare_proofs(case, answers, lines, said, found, facts)
    found.want("chain", "return value", "-1" if proofs else "0", said["chain"][0].split()[0])
    compare_table(case, names, said, found, facts, proofs)
    return found


def compare_errors(case, lines, said, found):
    world = case.world
    names = [layer.name for layer in case.layers]
    got = {(names[file] if line else "", line) for file, line in stage_diags(lines, "model")}
    if world.missing and not world.errors - {("", 0)}:
        got = {("", 0)} if got else got
    known = world.errors
    # One error may bring others after it; one that stands alone must be found at its place.
    if bool(world.errors) != (said["model"][0] != "0") or (world.errors and not got & known) or \
       (len(world.errors) == 1 and got != world.errors):
        found.append(("errors", f"model {sorted(world.errors)}, program {sorted(got)} " +
                      "; ".join(said.get("diag", [])[:4])))


def number_of(key, value, names):
    """A value as the program holds it: number, second number, nodes, string."""
    if key == "title":
        return 0, 0, 0, value
    if key in ("owns", "after"):
        nodes = sum(1 << names.index(n) for n in value)
        return nodes, 0, nodes, ""
    if key in ("restart", "health"):
        return value[0], value[1], 0, ""
    words = {"class": CLASSES, "start": STARTS, "pattern": PATTERNS, "back-ends": ("none", "control")}.get(key)
    return (words.index(value) if words else value), 0, 0, ""


def compare_model(world, said, found):
    names = [text.split()[0] for text in said["node"]]
    found.want("nodes", "names", sorted(world.nodes), sorted(names))
    if found:
        return
    found.want("nodes", "partitions first", [n for n in world.nodes if world.nodes[n].sort in "cp"], names[:len(world.parts)])
    for text in said["node"]:
        name, sort, carries = text.split()
        found.want("nodes", f"sort of {name}", world.nodes[name].sort.replace("c", "p"), sort)
        found.want("nodes", f"carries of {name}", {b for a, b in world.carries if a == name},
                   {n for i, n in enumerate(names) if int(carries, 16) >> i & 1})
    got = {}
    for text in said["key"]:
        part, key, number, number2, nodes, string = text.split(" ", 5)
        got[part, key] = (int(number), int(number2), int(nodes, 16), string)
    expected = {}
    for part in world.parts:
        for key in KEYS:
            if key != "disk" and world.value(part, key) is not None:
                expected[part, key] = number_of(key, world.value(part, key), names)
    for side in (got, expected):  # "restart never" says no time that means anything
        for at in side:
            if at[1] in ("restart", "health") and side[at][0] == 0:
                side[at] = (0, 0, 0, "")
    found.want_same("keys", expected, got)
    found.want("disks", "disks", [(p.name, f, v.value) for p in world.parts.values() for f, v in p.disks.items()],
               [(a, b, int(c)) for a, b, c in (text.split() for text in said.get("disk", []))])
    found.want("machine", "confirm and iommu", f"{world.confirm.value} {int(world.iommu.value)}", said["machine"][0])
    found.want_same("rights", rights(world), said_rights(said["right"]))


def rights(world):
    out = {}
    for person in PERSONS:
        for part, held in world.rights[person].items():
            out[part, person] = (bits([r for r in held if isinstance(r, str)], ACTIONS),
                                 bits([r[1] for r in held if not isinstance(r, str)], KEYS))
    return out


def said_rights(lines):
    return {(part, person): (int(a), int(k)) for part, person, a, k in (text.split() for text in lines)}


def compare_cells(world, answers, names, said, found, facts):
    got = {}
    for text in said.get("cell", []):
        f = text.split()
        kind = KINDS[int(f[0])]
        a, b = names[int(f[1])], names[int(f[2])]
        if a == b or world.nodes[a].sort + world.nodes[b].sort == "zz":
            continue
        verdict = int(f[5])
        got[kind, a, b, types_of(kind)[int(f[3]).bit_length() - 1], int(f[4])] = \
            (VERDICTS[verdict], f[6]) + ((tuple(map(int, f[7:13])),) if verdict else ())
    expected = {}
    for q, (verdict, rule, limits) in answers.items():
        expected[q] = (VERDICTS[verdict], rule.s.id) + ((tuple(map(int, limits)),) if verdict else ())
    must, may = world.reached()
    got_reached = set(said.get("reached", []))
    if not must <= got_reached <= may:
        found.append(("reached", f"model {sorted(must)} to {sorted(may)}, program {sorted(got_reached)}"))
    facts["decisions"] += len(names) * (len(names) - 1) * sum(len(types_of(k)) * (len(world.ports()) if k in PORTED else 1) for k in KINDS)
    facts["decided by a rule"] += len(expected)
    found.want_same("decisions", expected, got)


def compare_closure(case, answers, names, said, found, facts):
    got = {}
    for text in said.get("path", []):
        kind, ask, a, b, *steps = text.split()
        got[int(kind), int(ask), names[int(a)], names[int(b)]] = [tuple(s.split(",")) for s in steps]
    for number in [len(KINDS)] + case.kinds:
        kind = KINDS[number] if number < len(KINDS) else None
        for ask in (0, 1):
            edges = case.world.edges(answers, kind, ask)
            expected = case.world.distances(edges)
            mine = {k[2:]: steps for k, steps in got.items() if k[:2] == (number, ask)}
            facts["reachable pairs"] += len(expected)
            found.want("reach", f"{kind or 'all kinds'}, ask {ask}", sorted(expected), sorted(mine))
            for pair, steps in mine.items():
                check_path(case.world, answers, names, edges, expected.get(pair), pair, steps, ask, found)


def check_path(world, answers, names, edges, distance, pair, steps, ask, found):
    """A path is told step by step: each one must be true, and no shorter one may be there."""
    if distance != len(steps):
        found.append(("paths", f"{pair}: {len(steps)} steps, model {distance}"))
    at = pair[0]
    for a, b, why, kind, back, rule in steps:
        a, b = names[int(a)], names[int(b)]
        if a != at or (a, b) not in edges:
            found.append(("paths", f"{pair}: no step {a} -> {b}"))
        at = b
        if why == "0":
            x, y = (b, a) if back == "1" else (a, b)
            if not any(q[:3] == (KINDS[int(kind)], x, y) and v[0] >= (1 if ask else 2) and v[1].s.id == rule
                       for q, v in answers.items()):
                found.append(("paths", f"{pair}: rule {rule} does not open {x} -> {y}"))
    if at != pair[1]:
        found.append(("paths", f"{pair} ends at {at}"))


def compare_proofs(case, answers, lines, said, found, facts):
    """Returns the names of the proofs that fail."""
    expected = case.world.proofs(answers)
    for text in said["proof"]:
        bit, ret, _ = map(int, text.split())
        if bit < len(PROOFS):
            name = PROOFS[bit]
            found.want(name, "proof", -1 if name in expected else 0, ret)
            facts["broken proofs"] += name in expected
        else:
            found.want("warnings", f"bit {bit}", 0, ret)
    compare_warnings(case, lines, said, found)
    return expected


def compare_warnings(case, lines, said, found):
    """Rules that never decide are named, each at its line; and what nothing acts on is."""
    rules = {(i, s.line) for i, layer in enumerate(case.layers) for s in layer.statements
             if s.what == "rule" and s.id not in said.get("reached", [])}
    bit, got = -1, {10: set(), 11: set(), 12: set()}
    for word, rest in lines:
        f = rest.split(" ")
        if word == "proof":
            bit = int(f[0])
        elif word == "diag" and bit in got and f[0] == "1":
            got[bit].add((int(f[1]), int(f[2])))
        elif word != "diag":
            bit = -1
    found.want("warnings", "rules that never decide", sorted(rules), sorted(got[10]))
    found.want("warnings", "assertions and roles that say nothing", sorted(case.world.vain()), sorted(got[12]))
    if any(case.world.value(part, "cache") for part in case.world.parts):
        found.want("warnings", "cache has no effect yet", True, bool(got[11]))


def compare_table(case, names, said, found, facts, proofs):
    world = case.world
    if "emit" not in said or said["emit"][0].split()[0] != "0":
        if not proofs and not world.table_refuses():
            found.append(("table", "not made: " + "; ".join(said.get("diag", [])[-2:])))
        return
    facts["tables"] += 1
    if not proofs:
        found.want("table", "root mode would have to choose between roles", False, world.table_refuses())
    found.want("table", "opens", "0", said["open"][0].split()[0])
    for text in said.get("differs", []):
        found.append(("table", text))
    if "table" not in said:
        return
    found.want_same("table-rights", rights(world), said_rights(said["table-right"]))
    for text, (address, _) in zip(said.get("zone", []), case.addresses):
        found.want("zones", f"zone of {address}", world.zone(address) or "-", text.split()[1])
    compare_parts(world, names, said, found)
    if "gate" in said:  # a mutant's driver may be without it
        compare_gate(case, said, found, facts, proofs)


def compare_parts(world, names, said, found):
    """What daemons read of a partition."""
    def listed(nodes):
        return "".join(n + "," for n in names if n in nodes) or "-"

    expected, disks = {}, []
    for name, part in world.parts.items():
        v = {key: world.value(name, key) for key in KEYS if key != "disk"}
        health = v["health"][1] if v["health"][0] else 0
        expected[name] = " ".join(map(str, (
            v["disk-rate"], v["network-rate"], v["colour"] or 0, PATTERNS.index(v["pattern"] or "plain"), CLASSES.index(v["class"]),
            v["order"] or 0, STARTS.index(v["start"]), v["health"][0], v["run"], v["restart"][0],
            v["restart"][1] if v["restart"][0] else 60, health, v["device"],
            listed(v["owns"]), listed(v["after"]), v["title"] or "")))
        disks += [(name, file, str(flags.value)) for file, flags in part.disks.items()]
    got = dict(text.split(" ", 1) for text in said["table-part"])
    found.want_same("parts", expected, got)
    found.want("parts", "disks", disks, [tuple(text.split()) for text in said.get("table-disk", [])])
    layers = sum(1 << LAYERS.index(layer.name) for layer in world.layers)
    found.want("parts", "time and layers", f"{world.confirm.value} {layers}", said["table-machine"][0])


def compare_gate(case, said, found, facts, proofs):
    """Root mode's answers: every partition with every one, each bound and one more, each device; and a load."""
    world = case.world
    if not found.want("gate", "takes the table", "0", said["gate"][0].split()[0]):
        found.append(("gate", said["gate"][0]))
        return
    expected, pairs, devices = {}, {}, []
    for name in world.parts:
        v = {key: world.value(name, key) for key in ("memory", "vcpus", "cpu-weight", "cpu-cap", "doorbells", "back-ends")}
        expected[name] = f"{int(name == 'control')} {v['memory']} {v['vcpus']} {v['cpu-weight']} {v['cpu-cap']} {v['doorbells']} 01"
        for other in world.parts:
            serves = other == "control" and name != "control" and v["back-ends"] == "control"
            pairs[other, name] = "111" if serves else "000"
    for name, node in world.nodes.items():
        for owner in world.owners(name) if node.sort == "r" else ():
            if owner != "control":
                devices += [(owner, name)] * sum(m.startswith("pci") for m in node.statement.match)
    found.want_same("gate", expected, dict(text.split(" ", 1) for text in said["gate-part"]))
    found.want_same("gate", pairs, {tuple(text.split()[:2]): text.split()[2] for text in said["gate-pair"]})
    if "owner" not in proofs:  # then a device has one
        found.want("gate", "devices", sorted(devices), sorted(tuple(text.split()) for text in said.get("gate-device", [])))
    found.want("gate", "IOMMU", str(int(world.iommu.value)), said["gate-machine"][0])
    if "load" in said and not proofs:
        facts["loads"] += 1
        within = case.before.world.bounds(world)
        facts["taken loads"] += within
        found.want("load", "taken and wholly so", f"{0 if within else -DENIED} 1", said["load"][0])
