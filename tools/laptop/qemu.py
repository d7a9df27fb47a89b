# SPDX-License-Identifier: Apache-2.0
"""The fast emulated laptop: QEMU's q35 with AMD-V, VT-d with interrupt remapping, NVMe or AHCI, xHCI with keyboard,
tablet and stick, an e1000e, several CPUs. The same machine with KVM has the PC's own VT-x or AMD-V instead.

Nothing of a run is kept: the disk's changes go to a temporary file, UEFI's variables to a copy in the run's folder.
With icount one CPU runs at a time and the time-stamp counter counts instructions; else it counts the PC's own ticks."""
import os
import shutil
import subprocess
from pathlib import Path

from . import machine, qmp, secure, step

PROGRAM = "qemu-system-x86_64"
OVMF = Path("/usr/share/OVMF")
STICK_KIB = 4096
# An EPYC less what the emulation does not have.
CPU = "EPYC,+svm,-rdseed,-sha-ni,-xsavec,-3dnowprefetch,-misalignsse,-osvw,-topoext,-fxsr-opt,-nrip-save"
DISKS = {
    "nvme": ["-device", "nvme,drive=system,serial=bulkhead,bootindex=1"],
    "ahci": ["-device", "ide-hd,drive=system,bus=ide.0,bootindex=1"],
}
# Behind the IOMMU like every other device, and without the interface that knows none.
GPUS = {
    "std": ["-device", "VGA,xres=1024,yres=768"],
    "virtio": ["-device", "virtio-vga,xres=1024,yres=768,iommu_platform=on,disable-legacy=on"],
}
KEYS = {"super": "meta_l", "Return": "ret", "Escape": "esc", "space": "spc", "BackSpace": "backspace"}


def accelerator(kvm, icount):
    if kvm:
        return ["-accel", "kvm", "-cpu", "host"]
    args = ["-cpu", CPU]
    if icount:
        # Random numbers and the clock are inputs too: the same each time.
        return [*args, "-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-seed", "1",
                "-rtc", "base=2026-01-01,clock=vm"]
    return [*args, "-accel", "tcg,thread=multi"]


def firmware_args(folder, name):
    """SeaBIOS comes with QEMU; OVMF writes its variables into a copy of its own. A chain of secure.py: OVMF with
    Secure Boot."""
    if name == "bios":
        return []
    if secure.chain_of(name):
        return secure.firmware(folder, name)
    code, variables = OVMF / "OVMF_CODE_4M.fd", OVMF / "OVMF_VARS_4M.fd"
    if not code.is_file():
        raise step.Failure(f"{code} is missing", "./run --install installs the package ovmf")
    shutil.copyfile(variables, folder / "vars.fd")
    return ["-drive", f"if=pflash,format=raw,readonly=on,file={code}",
            "-drive", f"if=pflash,format=raw,file={folder}/vars.fd"]


def stick(folder):
    """A USB stick with an empty FAT."""
    path = folder / "stick.img"
    path.unlink(missing_ok=True)
    step.command(["mkfs.fat", "--invariant", "-n", "STICK", "-C", path, STICK_KIB], "install the package dosfstools")
    return ["-drive", f"if=none,id=stick,format=raw,file={path}",
            "-device", "usb-storage,bus=usb.0,drive=stick,removable=on"]


def laptop(folder, disk, gpu, iommu):
    """The devices of the laptop. The network leads nowhere but to QEMU itself."""
    return [*(["-device", "intel-iommu,intremap=on"] if iommu else []),
            "-drive", f"if=none,id=system,format=raw,snapshot=on,file={disk[1]}", *DISKS[disk[0]], *GPUS[gpu],
            "-device", "qemu-xhci,id=usb", "-device", "usb-kbd,bus=usb.0", "-device", "usb-tablet,bus=usb.0",
            *stick(folder),
            "-netdev", "user,id=net,restrict=on", "-device", "e1000e,netdev=net,romfile="]


class Qemu(machine.Machine):
    """One run from the image of a disk as the whole laptop, or from that of a CD with little more than a CPU.
    view: where the screen is shown, "none", "window" or "vnc"; com2: TCP port of this machine that gets the second
    serial line; more: further arguments for QEMU."""
    kind = "QEMU"

    def __init__(self, folder, disk=None, cdrom=None, cpus=2, megs=1024, com2=None, bus="nvme", gpu="std",
                 firmware="bios", icount=False, kvm=False, iommu=True, view="none", more=()):
        super().__init__(folder)
        if not icount:
            self.tick = "ticks"
        args = [PROGRAM, "-nodefaults", "-no-reboot", "-m", megs, "-smp", cpus,
                "-machine", "q35,kernel-irqchip=split,vmport=off", *accelerator(kvm, icount), *firmware_args(folder, firmware)]
        args += laptop(folder, (bus, disk), gpu, iommu) if disk else ["-cdrom", cdrom]
        args += {"none": ["-display", "none"], "window": [], "vnc": ["-vnc", "127.0.0.1:0,to=99"]}[view]
        args += ["-serial", f"file:{self.serial}"]
        if com2:
            args += ["-serial", f"tcp:127.0.0.1:{com2}"]
        self.qmp = qmp.Qmp()
        args += ["-chardev", f"socket,id=qmp,fd={self.qmp.far.fileno()}", "-mon", "chardev=qmp,mode=control", *more]
        try:
            self.launch(args, stdin=subprocess.DEVNULL, pass_fds=[self.qmp.far.fileno()])
        except BaseException:
            self.qmp.close()
            raise
        self.qmp.far.close()

    def key(self, *names):
        for name in names:
            keys = [{"type": "qcode", "data": KEYS.get(one, one.lower())} for one in name.split("+")]
            self.qmp.run("send-key", keys=keys)

    def point(self, x, y):
        """Moves the tablet's pointer; x and y from 0 (left, top) to 1."""
        self.qmp.run("input-send-event", events=[
            {"type": "abs", "data": {"axis": axis, "value": round(value * 0x7fff)}} for axis, value in (("x", x), ("y", y))])

    def picture(self, path):
        dump = path.with_suffix(".ppm")
        self.qmp.run("screendump", filename=str(dump))
        step.command(["convert", dump, path], "install the package imagemagick")
        data = dump.read_bytes()
        dump.unlink()
        words = data.split(maxsplit=4)  # P6, width, height, 255, pixels
        width, height = int(words[1]), int(words[2])
        return width, height, data[-width * height * 3:]

    def vnc_port(self):
        return int(self.qmp.run("query-vnc")["service"])

    def stop(self):
        super().stop()
        self.qmp.close()


def has_window():
    """Whether this QEMU can open a window: Debian has that in the package qemu-system-gui."""
    said = step.command([PROGRAM, "-display", "help"]).decode().split()
    return bool(os.environ.get("DISPLAY")) and ("gtk" in said or "sdl" in said)
