# SPDX-License-Identifier: Apache-2.0
"""The emulated VT-x laptop: Debian's Bochs, its window on a display of its own unless one is given.

With `clock: sync=none` the time-stamp counter counts executed instructions, so every tsc= mark in the
serial log is an instruction count."""
import os
import subprocess

from . import machine, screen

IPS = 50_000_000
CONFIG = """\
display_library: x
megs: {megs}
cpu: model={cpu}, count={cpus}, ips={ips}, reset_on_triple_fault=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
vga: extension=vbe
pci: enabled=1, chipset=i440fx, slot1=pcivga
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: {medium}
boot: {boot}
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


class Bochs(machine.Machine):
    """One run from the image of a disk, or of a CD. com2: TCP port of this machine that gets the second serial line;
    display: name of the X display for the window; more: lines for bochsrc."""
    kind = "Bochs"

    def __init__(self, folder, disk=None, cdrom=None, cpus=1, megs=1024, com2=None, display=None,
                 cpu="broadwell_ult", more=""):
        super().__init__(folder)
        (folder / "bochs.log").unlink(missing_ok=True)
        self.lock = None
        if com2:
            more += f"com2: enabled=1, mode=socket-client, dev=localhost:{com2}\n"
        if disk:
            # A killed run leaves its lock behind, and Bochs refuses the image then.
            self.lock = disk.with_name(disk.name + ".lock")
            self.lock.unlink(missing_ok=True)
            # Nothing that a run writes stays in the image, which others start from.
            medium = f"type=disk, mode=volatile, path={disk}, journal={folder}/disk.redolog"
            boot = "disk"
        else:
            medium, boot = f"type=cdrom, path={cdrom}, status=inserted", "cdrom"
        (folder / "bochsrc").write_text(CONFIG.format(cpu=cpu, cpus=cpus, megs=megs, ips=IPS, folder=folder, more=more,
                                                      medium=medium, boot=boot))
        self.display = None
        if display is None:
            self.display = screen.Display()
            display = self.display.name
        self.window = screen.Window(display)
        try:
            self.launch(["bochs", "-q", "-f", folder / "bochsrc"], stdin=subprocess.PIPE,
                        env=dict(os.environ, DISPLAY=display))
        except BaseException:
            self.stop()
            raise
        self.process.stdin.write(b"c\n")  # Debian's Bochs starts in its debugger
        self.process.stdin.flush()

    def key(self, *names):
        self.window.key(*names)

    def picture(self, path):
        return self.window.picture(path)

    def said(self):
        try:
            log = (self.folder / "bochs.log").read_text(errors="replace").splitlines()[-3:]
        except FileNotFoundError:
            log = []
        return super().said() + log

    def stop(self):
        super().stop()
        if self.display:
            self.display.stop()
        if self.lock:
            self.lock.unlink(missing_ok=True)
