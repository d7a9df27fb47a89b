# SPDX-License-Identifier: Apache-2.0
"""Which machine to take: the PC's own virtualization where KVM can hand it on, else an emulator.

What counts is what the CPU says it has: /dev/kvm alone may be a KVM that needs no VT-x and cannot hand any on."""
import dataclasses
import os
import re
import shutil
from pathlib import Path

from . import bochs, qemu, step

NAMES = ("auto", "qemu", "bochs", "kvm")
VENDORS = {"vmx": ("VT-x", "kvm_intel"), "svm": ("AMD-V", "kvm_amd")}
VTX = "--machine bochs emulates VT-x"


@dataclasses.dataclass(frozen=True)
class Facts:
    flags: frozenset           # of the CPU, as /proc/cpuinfo has them
    kvm: bool                  # /dev/kvm can be opened
    nested: frozenset          # KVM modules that hand virtualization on
    qemu: bool                 # QEMU is installed


def facts():
    try:
        found = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    nested = set()
    for _, module in VENDORS.values():
        try:
            if Path(f"/sys/module/{module}/parameters/nested").read_text().strip() in ("1", "Y"):
                nested.add(module)
        except OSError:
            continue
    return Facts(frozenset(found.group(1).split() if found else ()), os.access("/dev/kvm", os.R_OK | os.W_OK),
                 frozenset(nested), shutil.which(qemu.PROGRAM) is not None)


def own(pc):
    """(name of the PC's own virtualization that KVM can hand on, or None; why not)"""
    flag = next((one for one in VENDORS if one in pc.flags), None)
    if flag is None:
        return None, "this PC shows neither VT-x nor AMD-V"
    name, module = VENDORS[flag]
    if not pc.kvm:
        return None, f"this PC has {name}, but /dev/kvm cannot be opened"
    if module not in pc.nested:
        return None, f"this PC has {name}, but {module} hands it to no guest (its parameter nested is off)"
    return name, ""


def choose(asked, pc, emulated=False):
    """(machine, one line that says what and why). emulated: what is asked for needs an emulator."""
    name, why_not = own(pc)
    if asked == "kvm" and name is None:
        raise step.Failure(f"--machine kvm: {why_not}", "--machine qemu emulates AMD-V, --machine bochs VT-x")
    if asked == "kvm" or (asked == "auto" and name and pc.qemu and not emulated):
        return "kvm", f"machine: QEMU with this PC's own {name} through nested KVM; {VTX}"
    if asked == "qemu":
        return "qemu", f"machine: QEMU, which emulates AMD-V, as asked; {VTX}"
    if asked == "bochs":
        return "bochs", "machine: Bochs, which emulates VT-x, as asked; --machine qemu is ten times faster"
    if not pc.qemu:
        return "bochs", "machine: Bochs, which emulates VT-x, because QEMU is not installed"
    why = "options ask for it" if emulated else why_not
    return "qemu", f"machine: QEMU, which emulates AMD-V, because {why}; {VTX}"


def start(name, folder, **options):
    """Starts the machine of that name."""
    if name == "bochs":
        return bochs.Bochs(folder, **options)
    return qemu.Qemu(folder, kvm=name == "kvm", **options)
