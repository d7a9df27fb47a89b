# SPDX-License-Identifier: Apache-2.0
"""Debian packages as input: which versions apt would install, their files, unpacked once into the cache."""
import functools
import os
import re
import shutil

from . import cache, paths, step

URI = re.compile(r"^'([^']+)' (\S+) (\d+) (\S*)$")
known = {}


def resolve(names):
    """name -> (file name, checksum) of each package; the versions are those of the machine's apt sources."""
    missing = [n for n in names if n not in known]
    if missing:
        hint = "run `apt-get update`; the recipes are for Debian 12 (bookworm)"
        text = step.command(["apt-get", "download", "--print-uris", *missing], hint).decode()
        for line in text.splitlines():
            match = URI.match(line)
            if match:
                known[match.group(2).partition("_")[0]] = (match.group(2), match.group(4))
        for name in missing:
            if name not in known:
                raise step.Failure(f"apt knows no package {name}", hint)
    return {n: known[n] for n in names}


def place(name):
    file, checksum = resolve([name])[name]
    return paths.CACHE / "deb" / f"{file}-{cache.digest(file, checksum)[:16]}"


def fetch(names):
    """Downloads and unpacks those of the packages that are not in the cache, all in one go."""
    with cache.alone("deb"):
        download([n for n in names if not place(n).is_dir()])


def download(missing):
    if not missing:
        return
    fresh = paths.CACHE / "deb" / f"fresh.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        with step.step(f"fetching {len(missing)} packages: {' '.join(missing[:6])}{' ...' if missing[6:] else ''}"):
            step.command(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *missing],
                         "no network, or an old package list: run `apt-get update`", cwd=fresh)
            for name in missing:
                file = next(fresh.glob(f"{name}_*.deb"))
                step.command(["dpkg-deb", "-x", file, fresh / name])
                os.rename(fresh / name, place(name))
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def unpacked(name):
    """Folder with the files of one package."""
    fetch([name])
    return place(name)


@functools.cache
def kernel_package():
    """The package linux-image-amd64 stands for, for example linux-image-6.1.0-56-amd64."""
    text = step.command(["apt-cache", "depends", "linux-image-amd64"]).decode()
    names = re.findall(r"Depends: (linux-image-\S+)", text)
    if not names:
        raise step.Failure("apt knows no linux-image-amd64", "run `apt-get update`")
    return names[0]


def with_libraries(names):
    """The packages and all lib* packages that they depend on, in a fixed order."""
    args = ["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
            "--no-breaks", "--no-replaces", "--no-enhances", *names]
    found = {line for line in step.command(args).decode().splitlines() if re.match(r"^z?lib[^ ]*$", line)}
    found = sorted(n for n in found - set(names) if ":" not in n and not n.endswith(("-dev", "-perl")))
    resolve([*names, *found])
    return [*names, *found]
