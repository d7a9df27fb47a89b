# SPDX-License-Identifier: Apache-2.0
"""./run: the laptop with a person in front of it, in a window or behind VNC."""
import os
import shutil
import socket
import subprocess
import time

from . import bochs, build, paths, screen, step


def free_port():
    with socket.socket() as probe:
        for port in [*range(5900, 5920), 0]:
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise step.Failure("no free port", "")


def vnc(display):
    """Shows a display by VNC on this machine only; prints where."""
    if not shutil.which("x11vnc"):
        raise step.Failure("x11vnc is not installed", "./run --install")
    port = free_port()
    server = subprocess.Popen(["x11vnc", "-display", display, "-localhost", "-rfbport", str(port), "-forever",
                               "-shared", "-nopw", "-quiet", "-noxdamage"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    print(f"no display here: look at vnc://127.0.0.1:{port} (for example `vncviewer 127.0.0.1:{port}`; from "
          f"elsewhere `ssh -L {port}:127.0.0.1:{port} ...` first)", flush=True)
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


def main(timeout, desktop):
    disk = build.laptop(desktop=desktop)
    own = server = machine = None
    try:
        display = os.environ.get("DISPLAY")
        if not display:
            own = screen.Display()
            display = own.name
        step.say("starting the emulated laptop; its three partitions take about two minutes")
        machine = bochs.Bochs(paths.OUT / "run", disk, display)
        screen.Window(display).find()
        if own:
            server = vnc(display)
        print("keys: Super+1 desktop, Super+2 browser, Super+3 management, Super+Tab next; Ctrl+C here ends it",
              flush=True)
        follow(machine, timeout)
        return 0
    except KeyboardInterrupt:
        return 0
    finally:
        if machine:
            machine.stop()
        if server:
            server.terminate()
            server.wait()
        if own:
            own.stop()
