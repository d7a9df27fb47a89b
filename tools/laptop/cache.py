# SPDX-License-Identifier: Apache-2.0
"""Results named by the hash of all that went into them; a folder appears whole or not at all."""
import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from pathlib import Path

from . import paths, step

HOUR = 3600  # seconds


def digest(*parts):
    """Hash of strings, bytes, paths (content, names and modes of whole trees) and lists of these."""
    total = hashlib.sha256()

    def add(part):
        if isinstance(part, Path):
            add_path(part)
        elif isinstance(part, (list, tuple)):
            total.update(b"list%d" % len(part))
            for one in part:
                add(one)
        else:
            data = part if isinstance(part, bytes) else str(part).encode()
            total.update(b"%d:" % len(data) + data)

    def add_path(path):
        if path.is_dir():
            for child in sorted(path.iterdir()):
                if child.name != "__pycache__":
                    total.update(child.name.encode())
                    add_path(child)
        else:
            total.update(b"file%o" % (path.stat().st_mode & 0o777))
            with open(path, "rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())

    for part in parts:
        add(part)
    return total.hexdigest()


@contextlib.contextmanager
def alone(name):
    """Nobody else makes the same meanwhile: several runs share the cache."""
    locks = paths.CACHE / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with open(locks / name, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made(name, key, maker, text=None):
    """The folder `name`-`key`; when it is not there, maker(folder) fills it."""
    with alone(f"{name}-{key[:16]}"):
        return found_or_made(name, key, maker, text)


def found_or_made(name, key, maker, text):
    folder = paths.CACHE / f"{name}-{key[:16]}"
    if folder.is_dir():
        os.utime(folder)  # used: keep it longest
        return folder
    fresh = paths.CACHE / f"{name}-{key[:16]}.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        with step.step(text or f"making {name}"):
            maker(fresh)
        forget(name)
        os.rename(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return folder


def forget(name, keep=2):
    """Keeps only the newest results of this name, so that the cache does not grow without end; and those of the last
    hour, because another run may be about to start from one."""
    old = [f for f in paths.CACHE.glob(f"{name}-" + "[0-9a-f]" * 16) if f.is_dir()]
    old.sort(key=lambda f: f.stat().st_mtime)
    for folder in old[: max(0, len(old) - keep)]:
        if time.time() - folder.stat().st_mtime > HOUR:
            shutil.rmtree(folder, ignore_errors=True)
