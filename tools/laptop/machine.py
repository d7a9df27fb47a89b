# SPDX-License-Identifier: Apache-2.0
"""What every emulated laptop has: a process with a folder of its own, a serial log to wait on, an end by its pid."""
import os
import re
import signal
import subprocess
import time

from . import step


class Machine:
    """One run. `folder` keeps serial.out and out.txt, what the emulator printed. Those who derive from it start the
    process and know how to press keys and to take pictures."""
    kind = ""                # its name for people
    tick = "instructions"    # what the time-stamp counter counts

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.serial = folder / "serial.out"
        self.serial.unlink(missing_ok=True)
        self.begin = time.monotonic()
        self.output = self.process = None

    def launch(self, args, **more):
        self.output = open(self.folder / "out.txt", "wb")
        self.begin = time.monotonic()
        try:
            self.process = subprocess.Popen([str(a) for a in args], cwd=self.folder, stdout=self.output,
                                            stderr=subprocess.STDOUT, start_new_session=True, **more)
        except FileNotFoundError:
            self.output.close()
            raise step.Failure(f"{args[0]} is not installed", "./run --install") from None

    def key(self, *names):
        """Presses and releases keys one after the other; "super+2" is a chord. Names as X has them."""
        raise NotImplementedError

    def picture(self, path):
        """Saves the emulated screen as PNG and returns it as rows of RGB bytes: (width, height, bytes)."""
        raise NotImplementedError

    def text(self):
        try:
            return self.serial.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def seconds(self):
        return time.monotonic() - self.begin

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_for(self, pattern, timeout, start=0):
        """Waits until the serial log has `pattern` behind offset `start`; returns the match.
        Fails with the end of the log when the machine ends, root mode halts or the time is over."""
        end = time.monotonic() + timeout
        while True:
            alive = self.running()
            text = self.text()
            text = text[:text.rfind("\n") + 1]  # a line still being written would yield half a number
            match = re.compile(pattern).search(text, start)
            if match:
                return match
            if "bulkhead: halted" in text:
                raise step.Failure(f"the hypervisor halted while waiting for /{pattern}/", self.tail())
            if not alive:
                raise step.Failure(f"{self.kind} ended while waiting for /{pattern}/", self.tail())
            if time.monotonic() > end:
                raise step.Failure(f"no /{pattern}/ within {timeout:.0f} s", self.tail())
            time.sleep(0.1)

    def said(self):
        """The last lines that the emulator itself printed."""
        try:
            return (self.folder / "out.txt").read_text(errors="replace").splitlines()[-3:]
        except FileNotFoundError:
            return []

    def tail(self):
        lines = self.text().splitlines()[-20:]
        return "\n  ".join(["end of the serial log:", *lines]) + "\n" + "\n  ".join([f"{self.kind} said:", *self.said()])

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.running():
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(30)
                except subprocess.TimeoutExpired:
                    continue
        if self.process:
            self.process.wait()
            self.output.close()
