# SPDX-License-Identifier: Apache-2.0
"""./run: the laptop with a person in front of it, in a window or behind VNC."""
import os
import shutil
import socket
import subprocess
import time

from . import build, choose, paths, qemu, screen, secure, step


def free_port():
    with socket.socket() as probe:
        for port in [*range(5900, 5920), 0]:
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise step.Failure("no free port", "")


def tell(port):
    print(f"no display here: look at vnc://127.0.0.1:{port} (for example `vncviewer 127.0.0.1:{port}`; from "
          f"elsewhere `ssh -L {port}:127.0.0.1:{port} ...` first)", flush=True)


def vnc(display):
    """Shows a display by VNC on this machine only; prints where."""
    if not shutil.which("x11vnc"):
        raise step.Failure("x11vnc is not installed", "./run --install")
    port = free_port()
    server = subprocess.Popen(["x11vnc", "-display", display, "-localhost", "-rfbport", str(port), "-forever",
                               "-shared", "-nopw", "-quiet", "-noxdamage"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    tell(port)
    return server


def follow(machine, timeout):
    """Prints the serial log until the emulator ends."""
    shown = 0
    while machine.running():
        text = machine.text()
        if len(text) > shown:
            print(text[shown:], end="", flush=True)
            shown = len(text)
        if timeout and machine.seconds() > timeout:
            step.say(f"stopped after {timeout} s as asked")
            return
        time.sleep(0.2)
    print(machine.text()[shown:], end="", flush=True)


class BochsShow:
    """Bochs draws on an X display only; where there is none, on one of our own behind VNC."""

    def __init__(self, disk, options):
        self.own = self.server = None
        display = os.environ.get("DISPLAY")
        if not display:
            self.own = screen.Display()
            display = self.own.name
        self.machine = choose.start("bochs", paths.OUT / "run", disk=disk, display=display, **options)
        self.machine.window.find()
        if self.own:
            self.server = vnc(display)

    def stop(self):
        self.machine.stop()
        if self.server:
            self.server.terminate()
            self.server.wait()
        if self.own:
            self.own.stop()


class QemuShow:
    """QEMU opens its own window, or serves VNC itself."""

    def __init__(self, disk, options, machine):
        view = "window" if qemu.has_window() else "vnc"
        self.machine = choose.start(machine, paths.OUT / "run", disk=disk, view=view, **options)
        if view == "vnc":
            tell(self.machine.vnc_port())

    def stop(self):
        self.machine.stop()


def main(timeout, desktop, machine, options):
    disk = build.laptop(desktop=desktop, real=machine == "kvm", chain=secure.chain_of(options.get("firmware")))
    show = None
    try:
        minutes = "about two minutes" if machine == "bochs" else "less than a minute"
        step.say(f"starting the laptop; its three partitions take {minutes}")
        show = BochsShow(disk, options) if machine == "bochs" else QemuShow(disk, options, machine)
        print("keys: Super+1 desktop, Super+2 browser, Super+3 management, Super+Tab next; Ctrl+C here ends it",
              flush=True)
        follow(show.machine, timeout)
        return 0
    except KeyboardInterrupt:
        return 0
    finally:
        if show:
            show.stop()
