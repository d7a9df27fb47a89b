# SPDX-License-Identifier: Apache-2.0
"""A root file tree put together from packages, files of the recipe and our own programs."""
import fnmatch
import os
import shutil

from . import deb, elf, step

MERGED = ("bin", "sbin", "lib", "lib64")
LIBRARY_FOLDERS = ("usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib", "usr/lib/x86_64-linux-gnu/weston",
                   "usr/lib/x86_64-linux-gnu/systemd")
INTERPRETER = "ld-linux-x86-64.so.2"


def merged(path):
    """Path in a tree with merged /usr, as Debian 12 has it."""
    path = str(path).strip("/")
    return f"usr/{path}" if path.split("/")[0] in MERGED else path


class Tree:
    def __init__(self, folder, packages):
        """`packages`: names; their lib* dependencies serve for libraries, nothing else is taken from those."""
        self.folder = folder
        self.names = deb.with_libraries(packages)
        self.available = {}
        deb.fetch(self.names)
        for name in self.names:
            base = deb.unpacked(name)
            for root, _, files in os.walk(base):
                for file in files:
                    full = os.path.join(root, file)
                    self.available.setdefault(merged(os.path.relpath(full, base)), full)
        for name in MERGED:
            (folder / "usr" / name).mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(f"usr/{name}")

    def make_folders(self, names):
        for name in names:
            (self.folder / merged(name)).mkdir(parents=True, exist_ok=True)

    def put(self, source, target, mode=None):
        """Copies one file; a symbolic link stays one when it is relative."""
        target = self.folder / merged(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() or target.is_symlink():
            target.unlink()
        if os.path.islink(source) and mode is None:
            target.symlink_to(os.readlink(source))
            return
        shutil.copyfile(source, target)
        if mode is None:
            mode = 0o755 if os.stat(source).st_mode & 0o100 else 0o644
        target.chmod(mode)

    def write(self, target, content):
        path = self.folder / merged(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def take(self, patterns):
        """Files of the packages by pattern; a pattern that names nothing is an error of the recipe."""
        for pattern in patterns:
            found = fnmatch.filter(self.available, merged(pattern))
            if not found:
                raise step.Failure(f"no package of the recipe has {pattern}", "correct `files` in the recipe")
            for path in sorted(found):
                self.put(self.available[path], path)

    def link(self, name, target):
        path = self.folder / merged(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def overlay(self, folder):
        """Files that come with the recipe."""
        for root, _, files in os.walk(folder):
            for file in files:
                full = os.path.join(root, file)
                self.put(full, os.path.relpath(full, folder))

    def put_program(self, source, target):
        """Copies one of our programs without its symbols."""
        self.put(source, target, 0o755)
        step.command(["strip", "-s", self.folder / merged(target)], "install the package binutils")

    def add_libraries(self):
        """Copies the shared libraries that the ELF files here need, and those that these need."""
        waiting = [os.path.join(r, f) for r, _, files in os.walk(self.folder) for f in files]
        while waiting:
            path = waiting.pop()
            if os.path.islink(path):
                continue
            with open(path, "rb") as file:
                data = file.read(4) == b"\x7fELF" and (file.seek(0), file.read())[1]
            for name in elf.needed(data) if data else []:
                waiting += self._add_library(name, path)

    def _add_library(self, name, user):
        folder = "usr/lib64" if name == INTERPRETER else LIBRARY_FOLDERS[0]
        target = self.folder / folder / name
        if target.exists():
            return []
        for place in LIBRARY_FOLDERS:
            source = self.available.get(f"{place}/{name}")
            if source:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(os.path.realpath(source), target)
                target.chmod(0o755)
                return [str(target)]
        raise step.Failure(f"{os.path.basename(user)} needs {name}, which no package of the recipe has",
                           "add the package to the recipe")
