# SPDX-License-Identifier: Apache-2.0
"""Uncompressed newc archives with sorted names and fixed times: the kernel unpacks them by copying."""
import stat

from . import paths


class Archive:
    def __init__(self):
        self.entries = {}

    def add(self, name, data=b"", mode=stat.S_IFREG | 0o644, device=(0, 0)):
        name = name.strip("/")
        parent = name.rpartition("/")[0]
        if parent and parent not in self.entries:
            self.folder(parent)
        self.entries[name] = (data, mode, device)

    def folder(self, name, mode=0o755):
        self.add(name, mode=stat.S_IFDIR | mode)

    def link(self, name, target):
        self.add(name, target.encode(), stat.S_IFLNK | 0o777)

    def node(self, name, major, minor, mode=0o600):
        self.add(name, mode=stat.S_IFCHR | mode, device=(major, minor))

    def tree(self, path, under=""):
        """Adds all files of a folder; only the execute bit of their modes counts."""
        for child in sorted(path.iterdir()):
            name = f"{under}/{child.name}"
            if child.is_symlink():
                self.link(name, str(child.readlink()))
            elif child.is_dir():
                self.folder(name)
                self.tree(child, name)
            else:
                mode = 0o755 if child.stat().st_mode & 0o100 else 0o644
                self.add(name, child.read_bytes(), stat.S_IFREG | mode)

    def write(self, path):
        with open(path, "wb") as out:
            for number, name in enumerate(sorted(self.entries), 1):
                self._entry(out, number, name, *self.entries[name])
            self._entry(out, 0, "TRAILER!!!", b"", 0, (0, 0))

    @staticmethod
    def _entry(out, number, name, data, mode, device):
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (number, mode, 0, 0, links, paths.EPOCH, len(data), 0, 0, device[0], device[1], len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
        out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))
