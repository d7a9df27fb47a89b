# SPDX-License-Identifier: Apache-2.0
"""Secure Boot of the laptop with test keys. GRUB, its configuration, bulkhead.elf and all modules are one signed PE
file: firmware or shim verify it as a whole, and GRUB reads nothing else. What each step verifies, and why the files
are not apart, is in docs/SECURE-BOOT.md.

Keys are made for each folder of keys and never leave it."""
import io
import os
import re
import shutil
import tarfile
import tempfile
from pathlib import Path

from . import cache, efivars, paths, step

NAMES = {"PK": "platform key", "KEK": "key exchange key", "db": "signature database", "mok": "machine owner key"}
SHIM = Path("/usr/lib/shim/shimx64.efi")  # not signed: IT signs it with the key that its firmware knows
SHIM_SIGNED = Path("/usr/lib/shim/shimx64.efi.signed")
GRUB = Path("/usr/lib/grub/x86_64-efi")
GRUB_MODULES = ["efi_gop", "memdisk", "tar", "multiboot2", "normal", "echo", "test", "sleep", "halt"]
OVMF = Path("/usr/share/OVMF")
# Who verifies what. own: the firmware knows our keys alone, they sign shim too. stock: the firmware knows Microsoft's
# keys, shim is Debian's as Microsoft signed it, our key is enrolled as machine owner key. direct: our keys, no shim.
CHAINS = ("own", "stock", "direct")
# Nobody has a password, so nobody gets GRUB's editor or command line.
MENU_HEAD = """\
set superusers=it
export superusers
function refuse {
	echo
	echo "Bulkhead: $1 cannot be loaded. Nothing was started."
	echo "Ask IT to install the signed image again. Switching off in a minute."
	sleep 60
	halt
}
"""


class Keys:
    """A folder with a key and a certificate for each of NAMES."""

    def __init__(self, folder):
        self.folder = folder
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, mode=0o700)
            for name, text in NAMES.items():
                step.command(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-sha256",
                              "-subj", f"/CN=Bulkhead test {text}", "-keyout", folder / f"{name}.key", "-out",
                              self.certificate(name)], "install the package openssl")
            (folder / "complete").touch()

    def certificate(self, name):
        return self.folder / f"{name}.pem"

    def der(self, name):
        return step.command(["openssl", "x509", "-in", self.certificate(name), "-outform", "DER"])

    def sign(self, name, source, target):
        step.command(["sbsign", "--key", self.folder / f"{name}.key", "--cert", self.certificate(name), "--output",
                      target, source], "install the package sbsigntool")


def sbat():
    """What shim must know to revoke an old image: the generations that Debian gives to its GRUB, and ours."""
    with tempfile.TemporaryDirectory() as folder:
        section = Path(folder) / "sbat"
        step.command(["objcopy", "-O", "binary", "--only-section=.sbat", GRUB / "monolithic/grubx64.efi", section],
                     "install the package grub-efi-amd64-bin")
        lines = section.read_bytes().rstrip(b"\0 \n").decode().splitlines()
    version = next(line for line in lines if line.startswith("grub.debian,")).split(",")[4]
    return "\n".join([*lines, f"grub.bulkhead,1,Bulkhead,grub2,{version},docs/SECURE-BOOT.md", ""])


def menu(text):
    """The menu, with a message and the end where a file cannot be loaded."""
    text = re.sub(r'^(menuentry "[^"]*")', r"\1 --unrestricted", text, flags=re.M)
    text = re.sub(r"^\t((?:multiboot2|module2)(?: --\w+)* (\S+).*)$", r"\tif ! \1; then refuse \2; fi", text, flags=re.M)
    return MENU_HEAD + text


def content(source):
    return source if isinstance(source, bytes) else source.read_bytes()


def image(files, folder):
    """Path of GRUB for UEFI, not signed, with the files of the boot partition ({path: source}) inside."""
    files = {**files, "boot/grub/grub.cfg": menu(content(files["boot/grub/grub.cfg"]).decode()).encode()}
    with tarfile.open(folder / "files.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for path, source in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime = len(content(source)), paths.EPOCH
            tar.addfile(entry, io.BytesIO(content(source)))
    (folder / "sbat.csv").write_text(sbat())
    step.command(["grub-mkimage", "-O", "x86_64-efi", "-d", GRUB, "-m", folder / "files.tar", "-p",
                  "(memdisk)/boot/grub", "--sbat", folder / "sbat.csv", "-o", folder / "grub.efi", *GRUB_MODULES],
                 "install the package grub-efi-amd64-bin")
    (folder / "files.tar").unlink()
    return folder / "grub.efi"


def boot_files(keys, files, chain="own", sign=True):
    """From the files of the boot partition to those of one that Secure Boot starts. sign=False leaves the image as it
    is, for a test."""
    def maker(folder):
        plain = image(files, folder)
        keys.sign("mok" if chain == "stock" else "db", plain, folder / "signed.efi")
        if chain == "own":
            keys.sign("db", SHIM, folder / "shim.efi")

    parts = [item for path in sorted(files) for item in (path, files[path])]
    shim = {"own": SHIM, "stock": SHIM_SIGNED, "direct": None}[chain]
    if shim and not shim.is_file():
        raise step.Failure(f"{shim} is missing", "./run --install installs the packages shim-unsigned and shim-signed")
    key = cache.digest("1", chain, keys.certificate("db"), MENU_HEAD, GRUB_MODULES, paths.EPOCH, parts)
    folder = cache.made("signed", key, maker, "signing the boot image")
    loader = folder / ("signed.efi" if sign else "grub.efi")
    if chain == "direct":
        return {"EFI/BOOT/BOOTX64.EFI": loader}
    return {"EFI/BOOT/BOOTX64.EFI": folder / "shim.efi" if chain == "own" else shim, "EFI/BOOT/grubx64.efi": loader}


def variables(keys, target, chain="own"):
    """Writes the firmware's variables with the keys enrolled; a platform key switches Secure Boot on."""
    try:
        if chain == "stock":
            data = efivars.add((OVMF / "OVMF_VARS_4M.ms.fd").read_bytes(), [
                (efivars.SHIM, "MokList", efivars.NON_VOLATILE | efivars.BOOT,
                 efivars.certificate_list([keys.der("mok")]))])
        else:
            data = efivars.add((OVMF / "OVMF_VARS_4M.fd").read_bytes(), [
                (vendor, name, efivars.KEY, efivars.certificate_list([keys.der(name)]))
                for vendor, name in ((efivars.SECURITY, "db"), (efivars.GLOBAL, "KEK"), (efivars.GLOBAL, "PK"))])
    except FileNotFoundError as error:
        raise step.Failure(f"{error.filename} is missing", "./run --install installs the package ovmf") from None
    target.write_bytes(data)
    os.chmod(target, 0o600)


def firmware(folder, chain="own", keys=None):
    """Arguments for QEMU: OVMF with Secure Boot on, its variables guarded by SMM, in `folder`."""
    variables(keys or test_keys(), folder / "vars.fd", chain)
    return ["-global", "driver=cfi.pflash01,property=secure,value=on",
            "-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M.secboot.fd",
            "-drive", f"if=pflash,format=raw,file={folder}/vars.fd"]


def test_keys():
    """The keys of this tree's runs."""
    return Keys(paths.OUT / "secure-boot" / "keys")


def chain_of(firmware_name):
    """The chain that a firmware's name asks for, or None."""
    return firmware_name if firmware_name in CHAINS else None
