# SPDX-License-Identifier: Apache-2.0
"""./run --check: the whole laptop with nobody in front of it. Waits for the partitions, presses real keys,
looks at the screen, and reads who received what."""
import json
import re
import time

from . import build, choose, paths, secure, step

STRIP_ROWS = 32
PATIENCE = 8
FOCUS = r"switcher: focus {name} tsc=(\d+) frame-done tsc=(\d+)\s"
READY = r"bulkheadd: {name} ready tsc=(\d+)\s"
KEYS = r"(\w+)[^\n]*BULKHEAD-KEY (\d+)\s"
TYPED = (("h", 35), ("k", 37), ("5", 6))
MILESTONES = (
    ("hypervisor", r"\[ *(\d+)\] boot: root mode is up[^\n]*\n"),
    ("control", r"control: bulkheadd started tsc=(\d+)\s"),
)


class Check:
    """One run on one machine; options go to its class (bochs.Bochs, qemu.Qemu), like cpus=4."""

    def __init__(self, folder, timeout, machine="bochs", **options):
        self.folder = folder
        self.end = time.monotonic() + timeout
        self.marks = []
        self.kind = machine
        self.options = options
        self.machine = None

    def left(self, most):
        """Seconds that a wait may take within the whole limit; `most` is enough on a PC that has nothing else to do."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise step.Failure("the time limit of the whole check is over", "--timeout SECONDS sets another")
        return min(left, PATIENCE * most)

    def mark(self, name, ticks, since=0, begin=None):
        seconds = time.monotonic() - begin if begin is not None else self.machine.seconds()
        self.marks.append({"name": name, self.machine.tick: ticks - since, "seconds": round(seconds, 1)})
        step.say(f"{name}: {(ticks - since) / 1e6:.1f} M {self.machine.tick}, {seconds:.1f} s")

    def start(self, disk, **options):
        self.machine = choose.start(self.kind, self.folder, disk=disk, **self.options, **options)

    def boot(self):
        for name, pattern in MILESTONES:
            match = self.machine.wait_for(pattern, self.left(120))
            self.mark(f"{name} up", int(match.group(1)))
        waiting = set(build.GUESTS)
        position = {}
        while waiting:
            alternatives = "|".join(sorted(waiting))
            match = self.machine.wait_for(READY.format(name=f"({alternatives})"), self.left(300))
            position[match.group(1)] = match.end()
            self.mark(f"{match.group(1)} ready", int(match.group(2)))
            waiting.remove(match.group(1))

    def switch(self, name, chord):
        """Presses the chord and waits until the switcher says that the pixels are on the screen."""
        offset = len(self.machine.text())
        begin = time.monotonic()
        self.machine.key(chord)
        match = self.machine.wait_for(FOCUS.format(name=name), self.left(60), offset)
        self.mark(f"switch to {name} ({chord})", int(match.group(2)), int(match.group(1)), begin)

    def look(self, name):
        """Saves the screen and proves by its pixels that it is this partition's: its colour in the strip."""
        path = self.folder / f"{name}.png"
        colour = build.said(name, "colour")
        rgb = bytes.fromhex(colour[1:])
        end = time.monotonic() + self.left(20)
        while True:
            width, height, pixels = self.machine.picture(path)
            strip = pixels[:width * STRIP_ROWS * 3]
            near = sum(1 for i in range(0, len(strip), 3) if close(strip[i:i + 3], rgb))
            if (width, height) == (1024, 768) and near * 10 > width * STRIP_ROWS:
                return strip, pixels[width * STRIP_ROWS * 3:]
            if time.monotonic() > end:
                raise step.Failure(f"the strip does not show the colour {colour} of {name}",
                                   f"see {path}; screen {width}x{height}, {near} pixels of that colour")
            time.sleep(0.5)

    def keys(self):
        """(partition, code) of every key that any partition said it received."""
        return [(m.group(1), int(m.group(2))) for m in re.finditer(KEYS, self.machine.text())]

    def type_into(self, name):
        """Types keys and proves that this partition received each once and no other received any."""
        before = self.keys()
        for key, _ in TYPED:
            self.machine.key(key)
        wanted = [(name, code) for _, code in TYPED]
        end = time.monotonic() + self.left(30)
        while len(self.keys()) < len(before) + len(wanted):
            if time.monotonic() > end:
                break
            time.sleep(0.2)
        time.sleep(2)  # what another partition received by mistake shows now
        got = self.keys()[len(before):]
        if got != wanted:
            raise step.Failure(f"typed into {name}: expected {wanted}, received {got}",
                               "a key reached another partition, was lost, or came twice")
        step.say(f"typed into {name}: only {name} received the keys")

    def run(self, disk):
        self.start(disk)
        self.boot()
        seen = {}
        for name, chord in (("browser", "super+2"), ("management", "super+3"), ("desktop", "super+1"),
                            ("browser", "super+Tab"), ("management", "super+Tab"), ("desktop", "super+Tab")):
            self.switch(name, chord)
            seen[name] = self.look(name)
        names = sorted(seen)
        for i, one in enumerate(names):
            for other in names[i + 1:]:
                if difference(seen[one][1], seen[other][1]) < 0.02:
                    raise step.Failure(f"{one} and {other} show the same pixels", f"see the pictures in {self.folder}")
                if difference(seen[one][0], seen[other][0]) < 0.02:
                    raise step.Failure(f"{one} and {other} have the same strip", f"see the pictures in {self.folder}")
        self.type_into("desktop")
        self.look("desktop")
        self.switch("management", "super+3")
        self.type_into("management")
        self.switch("desktop", "super+1")
        self.look("desktop")

    def stop(self):
        if self.machine:
            try:
                if self.machine.running():
                    self.machine.picture(self.folder / "last.png")
            except step.Failure:
                pass
            self.machine.stop()


def close(pixel, rgb):
    return all(abs(a - b) <= 12 for a, b in zip(pixel, rgb))


def difference(one, other):
    """Share of the pixels that differ; looks at every seventh."""
    count = differ = 0
    for i in range(0, min(len(one), len(other)) - 2, 21):
        count += 1
        differ += one[i:i + 3] != other[i:i + 3]
    return differ / max(count, 1)


def main(timeout, as_json, desktop, machine, options):
    """Runs the check; returns the exit code."""
    folder = paths.OUT / "check"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    disk = build.laptop(check=True, desktop=desktop, real=machine == "kvm",
                        chain=secure.chain_of(options.get("firmware")))
    begin = time.monotonic()
    check = Check(folder, timeout, machine, **options)
    failure = None
    try:
        check.run(disk)
    except step.Failure as error:
        failure = error
    finally:
        check.stop()
    pictures = sorted(str(p) for p in folder.glob("*.png"))
    seconds = round(time.monotonic() - begin, 1)
    if as_json:
        print(json.dumps({"machine": machine, **options, "passed": failure is None, "failure": str(failure) if failure else None,
                          "milestones": check.marks, "seconds": seconds, "pictures": pictures}))
    else:
        for mark in check.marks:
            ticks = mark[check.machine.tick] / 1e6
            print(f"{mark['name']:32} {ticks:10.1f} M {check.machine.tick} {mark['seconds']:7.1f} s")
        print(f"pictures: {' '.join(pictures)}")
        print(f"passed in {seconds} s" if failure is None else f"FAILED after {seconds} s: {failure}\n{failure.hint}")
    return 0 if failure is None else 1
