# SPDX-License-Identifier: Apache-2.0
"""The laptop's disk image, made as a file: no root, no loop devices, same input gives the same bytes.

  LBA 0        GRUB boot.img, protective MBR
  gpt1 1 MiB   BIOS boot: GRUB core.img with all modules it needs, so that nothing else is read for it
  gpt2         ESP, FAT: /boot with what GRUB loads, and GRUB for UEFI
  gpt3         ext4 without journal, mounted read-only: what the control partition loads
  gpt4         ext4, empty: what outlives a boot (applied policies, the record of decisions)

The boot files lie on FAT with clusters of 32 KiB because GRUB copies each byte twice then; on ext4 it reads
4 KiB at a time through its cache and copies three times (0.8 instead of 0.5 G instructions for 45 MB).
"""
import os
import shutil
import struct
import uuid
import zlib

from . import cache, paths, step

SECTOR = 512
CLUSTER = 64 * SECTOR
MIB = 1 << 20
STATE_MIB = 16
NAMESPACE = uuid.UUID("0d1e4c1a-6a55-4d11-9a3e-5b7f0c2d9e10")
BIOS_BOOT = uuid.UUID("21686148-6449-6e6f-744e-656564454649")
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
GRUB_PC = "/usr/lib/grub/i386-pc"
GRUB_MODULES = ["biosdisk", "part_gpt", "fat", "multiboot2", "normal", "configfile", "serial", "terminal",
                "echo", "test", "sleep", "halt"]
# efi_gop: root mode shows early messages on the screen that GRUB hands over.
GRUB_EFI_MODULES = ["efi_gop", "part_gpt", "multiboot2", "normal", "configfile", "serial", "terminal", "echo",
                    "test", "sleep", "halt"]
PREFIX = "(hd0,gpt2)/boot/grub"


def identity(name):
    return uuid.uuid5(NAMESPACE, name)


def core_image(folder):
    core = folder / "core.img"
    step.command(["grub-mkimage", "-O", "i386-pc", "-d", GRUB_PC, "-p", PREFIX, "-o", core, *GRUB_MODULES],
                 "install the package grub-pc-bin")
    return bytearray(core.read_bytes())


def boot_sector(core_lba):
    """GRUB's boot.img told where core.img is (what grub-bios-setup writes for a hard disk)."""
    code = bytearray(open(f"{GRUB_PC}/boot.img", "rb").read())
    struct.pack_into("<Q", code, 0x5c, core_lba)
    code[0x64] = 0xff           # boot from the drive the BIOS names
    code[0x66:0x68] = b"\x90\x90"  # accept what the BIOS says about it
    return code


def place_core(core, lba):
    """Tells the first sector of core.img where the rest of it is."""
    sectors = (len(core) + SECTOR - 1) // SECTOR
    struct.pack_into("<QHH", core, SECTOR - 12, lba + 1, sectors - 1, 0x820)
    return core


def guid_bytes(value):
    return value.bytes_le


def gpt(total, parts):
    """(first 34 sectors, last 33 sectors) of a GUID partition table; parts: (type, name, first, last)."""
    entries = b""
    for kind, name, first, last in parts:
        entries += struct.pack("<16s16sQQQ72s", guid_bytes(kind), guid_bytes(identity(name)), first, last, 0,
                               name.encode("utf-16-le"))
    entries += b"\0" * (128 * 128 - len(entries))

    def header(here, other, table):
        head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, here, other, 34, total - 34,
                           guid_bytes(identity("disk")), table, 128, 128, zlib.crc32(entries))
        return (head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]).ljust(SECTOR, b"\0")

    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, min(total - 1, 0xFFFFFFFF))
    mbr = b"\0" * 446 + protective + b"\0" * 48 + b"\x55\xaa"
    return mbr + header(1, total - 1, 2) + entries, entries + header(total - 1, 1, total - 33)


def esp(folder, files):
    """FAT image with the boot files and GRUB for UEFI, which goes on with the same grub.cfg. For Secure Boot the
    files bring what the firmware starts."""
    image = folder / "esp.img"
    loader = folder / "bootx64.efi"
    early = folder / "early.cfg"
    early.write_text("set prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n")
    step.command(["grub-mkimage", "-O", "x86_64-efi", "-p", "/boot/grub", "-c", early, "-o", loader, "fat",
                  *GRUB_EFI_MODULES], "install the package grub-efi-amd64-bin")
    boot = folder / "boot"
    files = {"EFI/BOOT/BOOTX64.EFI": loader, **files}
    place(boot, files)
    used = sum(-(-size(source) // CLUSTER) for source in files.values()) * CLUSTER
    sectors = (used + 4 * MIB) // CLUSTER * CLUSTER // SECTOR
    with open(image, "wb") as file:
        file.truncate(sectors * SECTOR)
    # One copy of a FAT12 of up to 4084 clusters takes 12 sectors, the root folder 32: 84 + 12 + 32 = 128, so that
    # clusters begin at multiples of GRUB's cache unit of 64 sectors.
    environment = dict(os.environ, SOURCE_DATE_EPOCH=str(paths.EPOCH), MTOOLS_SKIP_CHECK="1", TZ="UTC")
    fat = -(-(sectors // 64 * 3 // 2 + 3) // SECTOR)
    step.command(["mkfs.fat", "--invariant", "-a", "-F", "12", "-f", "1", "-s", "64", "-r", "512", "-R", 96 - fat,
                  "-i", "b0011ead", "-n", "BULKHEAD", image], "install the package dosfstools", env=environment)
    step.command(["mcopy", "-s", "-m", "-i", image, *sorted(boot.iterdir()), "::/"], "install the package mtools",
                 env=environment)
    shutil.rmtree(boot)
    return image


def size(source):
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def place(root, files):
    """Files {path: source file or bytes} below a folder, all with the fixed time."""
    for target, source in sorted(files.items()):
        path = root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            path.write_bytes(source)
        else:
            shutil.copyfile(source, path)
    for top, folders, names in os.walk(root):
        for one in [top, *(os.path.join(top, n) for n in [*folders, *names])]:
            os.utime(one, (paths.EPOCH, paths.EPOCH))


def system(folder, files):
    """ext4 image with files: {path: source file or bytes}."""
    root = folder / "system"
    place(root, files)
    names = ["/" + os.path.relpath(os.path.join(top, one), root)
             for top, folders, here in os.walk(root) for one in [*folders, *here]]
    used = sum(size(source) for source in files.values())
    mib = (used + used // 50 + 8 * MIB) // MIB
    image = folder / "system.img"
    environment = dict(os.environ, E2FSPROGS_FAKE_TIME=str(paths.EPOCH))
    step.command(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-N", "256", "-m", "0", "-L", "bulkhead",
                  "-O", "^has_journal,^metadata_csum,^64bit,^resize_inode,^dir_index,^orphan_file",
                  "-U", identity("system filesystem"),
                  "-E", f"hash_seed={identity('hash')},root_owner=0:0,lazy_itable_init=0", "-d", root, image,
                  f"{mib}M"], "install the package e2fsprogs", env=environment)
    # Owner and change time come from the build machine: set them.
    script = "".join(f"sif {n} {field}\n" for n in ["/", *sorted(names)] for field in
                     (f"ctime @{paths.EPOCH}", f"atime @{paths.EPOCH}", "uid 0", "gid 0"))
    step.command(["debugfs", "-w", "-f", "-", image], env=environment, stdin=script.encode())
    shutil.rmtree(root)
    return image


def state(folder):
    """An empty ext4 image with a journal: a power cut at any write leaves files and names as they were flushed."""
    image = folder / "state.img"
    environment = dict(os.environ, E2FSPROGS_FAKE_TIME=str(paths.EPOCH))
    step.command(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-N", "256", "-m", "0", "-L", "state", "-J", "size=4",
                  "-O", "^metadata_csum,^64bit,^resize_inode,^orphan_file", "-U", identity("state filesystem"),
                  "-E", f"hash_seed={identity('hash')},root_owner=0:0,lazy_itable_init=0", image, f"{STATE_MIB}M"],
                 "install the package e2fsprogs", env=environment)
    return image


def make(boot, files):
    """Path of the disk image with `boot` on the ESP and `files` on the system partition: {path: source}."""
    parts_key = [item for part in (boot, files) for target in sorted(part) for item in (target, part[target])]
    key = cache.digest("3", paths.EPOCH, GRUB_MODULES, open(f"{GRUB_PC}/boot.img", "rb").read(), parts_key)

    def maker(folder):
        esp_image = esp(folder, boot)
        system_image = system(folder, files)
        state_image = state(folder)
        core = place_core(core_image(folder), 2048)
        esp_first = 4096
        system_first = esp_first + esp_image.stat().st_size // SECTOR
        system_sectors = system_image.stat().st_size // SECTOR
        state_first = -(-(system_first + system_sectors) // 2048) * 2048
        state_sectors = STATE_MIB * MIB // SECTOR
        # Bochs wants whole cylinders of 16 heads and 63 sectors.
        total = -(-(state_first + state_sectors + 34) // (16 * 63)) * 16 * 63
        start, end = gpt(total, [
            (BIOS_BOOT, "bios-boot", 2048, 4095),
            (ESP, "esp", esp_first, system_first - 1),
            (LINUX, "system", system_first, system_first + system_sectors - 1),
            (LINUX, "state", state_first, state_first + state_sectors - 1),
        ])
        if len(core) > 2048 * SECTOR:
            raise step.Failure("GRUB's core.img does not fit its partition", "take modules out of GRUB_MODULES")
        with open(folder / "disk.img", "wb") as out:
            out.truncate(total * SECTOR)
            out.write(bytes(boot_sector(2048)[:440]) + start[440:])
            out.seek(2048 * SECTOR)
            out.write(core)
            for image, first in ((esp_image, esp_first), (system_image, system_first), (state_image, state_first)):
                out.seek(first * SECTOR)
                with open(image, "rb") as source:
                    shutil.copyfileobj(source, out, 1 << 20)
                image.unlink()
            out.seek((total - 33) * SECTOR)
            out.write(end)

    return cache.made("disk", key, maker, "making the disk image") / "disk.img"
