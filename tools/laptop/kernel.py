# SPDX-License-Identifier: Apache-2.0
"""The stock Debian kernel, unpacked: vmlinux for direct boot, and modules with what they depend on."""
import lzma
import re

from . import cache, deb, elf, step

XZ_MAGIC = b"\xfd7zXZ\0"


def vmlinux():
    """Path of the uncompressed kernel ELF, trimmed (34 MB instead of 62)."""
    name = deb.kernel_package()

    def maker(folder):
        image = next((deb.unpacked(name) / "boot").glob("vmlinuz-*")).read_bytes()
        start = image.find(XZ_MAGIC)
        if start < 0:
            raise step.Failure(f"{name}: no xz payload in vmlinuz", "this recipe is for the kernel of Debian 12")
        (folder / "vmlinux").write_bytes(elf.trim(lzma.LZMADecompressor().decompress(image[start:])))

    return cache.made("vmlinux", cache.digest("1", deb.resolve([name])), maker, "unpacking the kernel") / "vmlinux"


def release():
    return deb.kernel_package().removeprefix("linux-image-")


class Modules:
    """The module tree of the kernel package, by module name (with '_')."""

    def __init__(self):
        tree = deb.unpacked(deb.kernel_package()) / "lib" / "modules"
        self.path = {p.stem.replace("-", "_"): p for p in tree.rglob("*.ko")}

    def closure(self, names, builtin_ok=()):
        """(name, path) of the modules in the order in which they can be loaded."""
        order = []

        def add(name):
            name = name.replace("-", "_")
            if any(name == done for done, _ in order):
                return
            if name not in self.path:
                raise step.Failure(f"the kernel has no module {name}", "correct the list in the recipe")
            depends = re.search(rb"\0depends=([^\0]*)\0", self.path[name].read_bytes())
            for one in depends.group(1).decode().split(",") if depends else []:
                if one:
                    add(one)
            order.append((name, self.path[name]))

        for one in names:
            add(one)
        return order
