# SPDX-License-Identifier: Apache-2.0
"""An X display for one run, real key events into the emulator's window, and pictures of its screen."""
import os
import subprocess
import tempfile
import time

from . import step

HEADER = 32  # height of Bochs' own header bar above the emulated screen


class Display:
    """An Xvfb of its own; it chooses a free number itself."""

    def __init__(self):
        read, write = os.pipe()
        self.log = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
                pass_fds=[write], stdout=self.log, stderr=self.log, start_new_session=True)
        except FileNotFoundError:
            raise step.Failure("Xvfb is not installed", "./run --install") from None
        os.close(write)
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        if not number:
            raise step.Failure("Xvfb did not start", "is /tmp/.X11-unix writable?")
        self.name = f":{number}"

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Window:
    """The window of Bochs on a display."""

    def __init__(self, display):
        self.environment = dict(os.environ, DISPLAY=display)
        self.number = None

    def _tool(self, *args):
        return step.command(["xdotool", *args], "install the package xdotool", env=self.environment).decode()

    def find(self, timeout=120):
        end = time.monotonic() + timeout
        while self.number is None:
            try:
                self.number = self._tool("search", "--name", "Bochs").split()[-1]
            except (step.Failure, IndexError):
                if time.monotonic() > end:
                    raise step.Failure("Bochs shows no window", "see out/run/out.txt") from None
                time.sleep(0.2)
        return self.number

    def key(self, *names):
        """Presses and releases keys ("super+2", "h") as X test events, as a person's keyboard would."""
        window = self.find()
        self._tool("windowfocus", window, "mousemove", "--window", window, "300", "300")
        for name in names:
            self._tool("key", "--delay", "40", name)

    def picture(self, path):
        """Saves the emulated screen as PNG and returns it as rows of RGB bytes: (width, height, bytes)."""
        window = self.find()
        dump = step.command(["xwd", "-silent", "-nobdrs", "-id", window], "install the package x11-apps", env=self.environment)
        shape = step.command(["identify", "-format", "%w %h", "xwd:-"], "install the package imagemagick", stdin=dump)
        width, height = (int(x) for x in shape.split())
        height = min(height - HEADER, 768)
        crop = f"{width}x{height}+0+{HEADER}"
        step.command(["convert", "xwd:-", "-crop", crop, "+repage", path], stdin=dump)
        pixels = step.command(["convert", path, "-depth", "8", "rgb:-"])
        return width, height, pixels
