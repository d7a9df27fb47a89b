# SPDX-License-Identifier: Apache-2.0
"""Policies for rules that random ones meet too seldom: one vendor layer, and what later layers make of it."""
import copy

from layer import Layer
from words import MIB

NO_LIMITS = {"size": 0, "rate": 0, "count": 0, "seconds": 0, "quarantine": False, "readonly": False}


def rule(layer, name, verdict, kind, a, b, types=(), ports=None, open=False):
    layer.add("rule", id=name, verdict=verdict, kind=kind, ends=(a, b), types=types, ports=ports, open=open, **NO_LIMITS)


def keys(layer, part, *pairs, open=False):
    layer.add("partition", name=part)
    for key, value in pairs:
        layer.add("key", key=key, value=value, open=open)


def vendor(*pairs, open=False):
    layer = Layer("vendor")
    layer.add("role", name="keys", match=("keyboard",))
    layer.add("role", name="screen", match=("screen",))
    layer.add("zone", name="lan", prefixes=("10.0.0.0/8",), trusted=False)
    keys(layer, "control", ("memory", 64 * MIB))
    keys(layer, "desktop", ("memory", 64 * MIB))
    for key, value in pairs:
        layer.add("key", key=key, value=value, open=open)
    keys(layer, "browser", ("memory", 64 * MIB))
    rule(layer, "prompt-keys", "allow", "input", ["keys"], ["control"])
    rule(layer, "prompt-screen", "allow", "display", ["control"], ["screen"])
    return layer


def later(name, *pairs, open=False):
    layer = Layer(name)
    if pairs:
        keys(layer, "desktop", *pairs, open=open)
    return layer


def may(layer, person, actions=(), change=(), deny=False, open=False):
    layer.add("may", person=person, deny=deny, keys=change, actions=actions, names=["desktop"], open=open)
    return layer


def machine(layer, what, open=False, **fields):
    layer.add(what, open=open, **fields)
    return layer


def amount(vcpus, doorbells, back_ends):
    return [vendor(("vcpus", vcpus), ("doorbells", doorbells), ("back-ends", back_ends))]


def claims(verdict, types=(), open=False):
    layer = vendor()
    rule(layer, "r", verdict, "clipboard", ["desktop"], ["browser"], types, open=open)
    layer.add("claim", claim="always", kind="clipboard", ends=("desktop", "browser"), ask_closed=False)
    return [layer]


def policies():
    """Lists of layers."""
    a = ("disk", ("/d/a.vhd", 1))
    user_changes = {"change": ["memory", "disk"], "person": "user"}
    twin = vendor()
    twin.add("zone", name="twin", prefixes=("10.0.0.0/8",), trusted=False)
    misfit = vendor()
    rule(misfit, "r", "allow", "clipboard", ["desktop"], ["lan"])
    owned = vendor(("owns", ("keys",)))
    shadowed = vendor()
    for name, match in (("any-card", "pci 02"), ("card", "pci 0200")):
        shadowed.add("role", name=name, match=(match,))
    keys(shadowed, "desktop", ("owns", ("card",)))
    cards = vendor()
    for name, match in (("card", "pci 0200"), ("fast", "pci 8086:1533")):
        cards.add("role", name=name, match=(match,))
    keys(cards, "desktop", ("owns", ("card",)))
    keys(cards, "browser", ("owns", ("fast",)))
    inner, opens = vendor(), later("it")
    rule(inner, "closed", "deny", "network", ["any"], ["any"], open=True)
    inner.add("claim", claim="never", kind=None, ends=("desktop", "lan"), ask_closed=False)
    alone = copy.deepcopy(inner)
    alone.statements[-1].claim, alone.statements[-1].ends = "only", ("browser", "lan")
    opens.add("zone", name="corp", prefixes=("10.1.0.0/16",), trusted=False)
    rule(opens, "corp-web", "allow", "network", ["desktop"], ["corp"])
    split, trusts, vouched, carried = ([vendor(), later(name)] for name in ("it", "user", "it", "it"))
    for first, second in (split, trusts, vouched, carried):
        rule(first, "web", "allow", "network", ["browser"], ["lan"])
        rule(first, "closed", "deny", "network", ["any"], ["any"], open=True)
        second.add("zone", name="corp", prefixes=("10.1.0.0/16",), trusted=second in (trusts[1], vouched[1]))
        rule(second, "corp-web", "allow", "network", ["desktop"], ["corp"])
    rule(split[1], "corp-shut", "deny", "network", ["browser"], ["corp"])
    for first in (split[0], trusts[0], vouched[0]):
        first.add("claim", claim="never", kind=None, ends=("browser", "desktop"), ask_closed=False)
    carried[0].add("zone", name="far", prefixes=("172.16.0.0/12",), trusted=False)
    carried[0].add("carries", ends=("lan", "far"))
    carried[1].add("claim", claim="never", kind="network", ends=("desktop", "far"), ask_closed=False)
    gap, over = vendor(), later("it")
    rule(gap, "low", "deny", "network", ["desktop"], ["lan"], ports=(1, 79), open=True)
    rule(gap, "high", "deny", "network", ["desktop"], ["lan"], ports=(81, 100), open=True)
    rule(over, "all", "allow", "network", ["desktop"], ["lan"], ports=(1, 100))
    waits = vendor(("after", ("browser",)))
    keys(waits, "browser", ("start", "never"))
    return [
        [vendor(("class", "limited")), later("it", ("class", "user"))],
        [vendor(("restart", (2, 90))), later("it", ("restart", (1, 60)))],
        [vendor(("health", (1, 30))), later("it", ("health", (1, 60)))],
        [may(vendor(("vcpus", 2), open=True), "user", change=["vcpus"]), later("it"), later("user", ("vcpus", 4))],
        [may(vendor(("vcpus", 4)), "user", change=["vcpus"]), later("it", ("vcpus", 2), open=True), later("user", ("vcpus", 4))],
        [vendor(a), later("it", ("disk", ("/d/a.vhd", 0)))],
        [may(vendor(a), **user_changes), later("it", a, open=True), later("user", ("disk", ("/d/a.vhd", 0)))],
        [vendor(("vcpus", 2), ("vcpus", 2))],
        [machine(vendor(), "confirm", seconds=30), machine(later("it"), "confirm", seconds=60)],
        [machine(vendor(), "iommu", required=True), machine(later("it"), "iommu", required=False)],
        [twin], [misfit],
        [may(vendor(), "user", ["stop"], deny=True), may(later("it"), "user", ["stop"], deny=True, open=True),
         may(later("user"), "user", ["stop"])],
        [vendor(), may(later("it"), "user", change=["vcpus"], deny=True, open=True), may(later("user"), "user", change=["vcpus"])],
        claims("ask"), claims("allow", ["text"]), claims("allow"), claims("allow", open=True),
        [owned], [waits], [shadowed], [cards], [inner, opens], [alone, opens], [gap, over], split, trusts, vouched, carried,
        [vendor(("cpu-guarantee", 20), ("cpu-cap", 10))],
        # Each goes past the one before it in one way, for root mode to refuse.
        amount(1, 4, "none"), amount(2, 4, "none"), amount(1, 8, "none"), amount(1, 4, "control"), amount(1, 4, "none"),
    ]
