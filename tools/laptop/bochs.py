# SPDX-License-Identifier: Apache-2.0
"""The emulated laptop: Debian's Bochs with VT-x, its files in a folder of its own, ended by its pid.

With `clock: sync=none` the time-stamp counter counts executed instructions, so every tsc= mark in the
serial log is an instruction count."""
import os
import re
import signal
import subprocess
import time

from . import step

IPS = 50_000_000
CONFIG = """\
display_library: x
megs: {megs}
cpu: model={cpu}, count=1, ips={ips}, reset_on_triple_fault=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
vga: extension=vbe
pci: enabled=1, chipset=i440fx, slot1=pcivga
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, mode=flat, path={disk}
boot: disk
com1: enabled=1, mode=file, dev={folder}/serial.out
port_e9_hack: enabled=0
keyboard: type=mf, keymap=/usr/share/bochs/keymaps/x11-pc-us.map
mouse: enabled=0, type=ps2
log: {folder}/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
clock: sync=none
sound: driver=dummy, waveout=/dev/null, wavein=/dev/null, midiout=/dev/null
{more}"""


class Bochs:
    """One run. `folder` keeps bochsrc, serial.out, bochs.log and what Bochs printed; `more`: lines for bochsrc."""

    def __init__(self, folder, disk, display, cpu="broadwell_ult", megs=1024, more=""):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("serial.out", "bochs.log", "out.txt"):
            (folder / name).unlink(missing_ok=True)
        self.lock = disk.with_name(disk.name + ".lock")
        self.lock.unlink(missing_ok=True)
        self.serial = folder / "serial.out"
        (folder / "bochsrc").write_text(CONFIG.format(cpu=cpu, megs=megs, ips=IPS, disk=disk, folder=folder,
                                                           more=more))
        environment = dict(os.environ, DISPLAY=display)
        self.output = open(folder / "out.txt", "wb")
        try:
            self.process = subprocess.Popen(["bochs", "-q", "-f", str(folder / "bochsrc")], cwd=folder,
                                            stdin=subprocess.PIPE, stdout=self.output, stderr=subprocess.STDOUT,
                                            env=environment, start_new_session=True)
        except FileNotFoundError:
            raise step.Failure("bochs is not installed", "./run --install") from None
        self.process.stdin.write(b"c\n")  # Debian's Bochs starts in its debugger
        self.process.stdin.flush()
        self.begin = time.monotonic()

    def text(self):
        try:
            return self.serial.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def seconds(self):
        return time.monotonic() - self.begin

    def running(self):
        return self.process.poll() is None

    def wait_for(self, pattern, timeout, start=0):
        """Waits until the serial log has `pattern` behind offset `start`; returns the match.
        Fails with the end of the log when Bochs ends, root mode halts or the time is over."""
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
                raise step.Failure(f"Bochs ended while waiting for /{pattern}/", self.tail())
            if time.monotonic() > end:
                raise step.Failure(f"no /{pattern}/ within {timeout:.0f} s", self.tail())
            time.sleep(0.1)

    def tail(self):
        lines = self.text().splitlines()[-20:]
        said = (self.folder / "out.txt").read_bytes().decode(errors="replace").splitlines()[-3:]
        return "end of the serial log:\n  " + "\n  ".join(lines) + "\nBochs said:\n  " + "\n  ".join(said)

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.running():
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(5)
                except subprocess.TimeoutExpired:
                    continue
        self.process.wait()
        self.output.close()
        self.lock.unlink(missing_ok=True)
