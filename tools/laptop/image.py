# SPDX-License-Identifier: Apache-2.0
"""From a recipe (partitions/images/NAME/recipe.toml) to the files a partition boots from.

control:  one uncompressed cpio, the boot module `initrd`; it becomes the read-only root as it is.
others:   a small cpio with drivers (initrd) and an EROFS root inside a fixed VHD.
"""
import os
import tomllib
import uuid

from . import cache, cpio, deb, kernel, paths, step, tree, vhd

NAMESPACE = uuid.UUID("6f0c9f5e-7d0a-4f0e-9d7e-0b1c2d3e4f50")
VERSION = "3"  # part of every key: raise it when this file changes what it makes


def recipe(name):
    with open(paths.IMAGES / name / "recipe.toml", "rb") as file:
        return tomllib.load(file)


def program(name):
    """A program of ours in the build folder."""
    path = paths.BUILD / name
    if not path.is_file():
        raise step.Failure(f"{path} is not built", "run `meson setup build && ninja -C build`")
    return path


def programs(wanted):
    """(path in the build folder, place in the image); names that end in '?' may be missing."""
    for source, target in sorted(wanted.items()):
        if source.endswith("?"):
            source = source[:-1]
            if not (paths.BUILD / source).is_file():
                step.say(f"note: {source} is not built, left out")
                continue
        yield program(source), target


def key(name, data):
    sources = [path for path, _ in programs(data.get("programs", {}))]
    sources += [program(data["init"])] if "init" in data else []
    packages = deb.resolve(data.get("packages", []) + [deb.kernel_package()])
    return cache.digest(VERSION, paths.EPOCH, paths.IMAGES / name, packages, sources)


def modules(data):
    """(name, path, patterns of the devices it is for, parameters) of the recipe's modules in load order."""
    parameters = data.get("parameters", {})
    available = kernel.Modules()
    found = {name: (path, ["*"]) for name, path in available.closure(data["modules"])}
    for pattern, names in data.get("drivers", {}).items():
        for name, path in available.closure(names):
            patterns = found.setdefault(name, (path, []))[1]
            if patterns != ["*"]:
                patterns.append(pattern)
    for name, (path, patterns) in found.items():
        yield name, path, ",".join(patterns), parameters.get(name, "")


def add_modules(data, put):
    """Hands the module files and their order to put(name, bytes). Only the debug-free module itself is
    taken: the signature behind it costs 60 M instructions to verify and protects nothing here, because the
    image as a whole is verified."""
    lines = []
    for name, path, patterns, parameters in modules(data):
        put(f"lib/modules/{name}.ko", without_signature(path.read_bytes()))
        lines.append(f"{patterns} /lib/modules/{name}.ko {parameters}".strip())
    lines += [f"* /lib/modules/{name}.ko" for name in data.get("own_modules", [])]
    put("lib/modules/order", ("\n".join(lines) + "\n").encode())


def without_signature(data):
    magic = b"~Module signature appended~\n"
    if not data.endswith(magic):
        return data
    size = int.from_bytes(data[-len(magic) - 4:-len(magic)], "big")
    return data[:-len(magic) - 12 - size]


def fill(name, data, folder):
    """The root tree of a recipe."""
    root = tree.Tree(folder, data.get("packages", []))
    root.make_folders(data.get("folders", []))
    root.take(data.get("files", []))
    for source, target in programs(data.get("programs", {})):
        root.put_program(source, target)
    for link, target in data.get("links", {}).items():
        root.link(link, target)
    if (paths.IMAGES / name / "files").is_dir():
        root.overlay(paths.IMAGES / name / "files")
    root.add_libraries()
    return root


def fix_times(folder):
    for top, folders, files in os.walk(folder):
        for one in [*folders, *files]:
            os.utime(os.path.join(top, one), (paths.EPOCH, paths.EPOCH), follow_symlinks=False)


def control(extra=None):
    """Path of the boot module `initrd`; extra: more files {path: bytes}."""
    data = recipe("control")

    def maker(folder):
        root = folder / "root"
        root.mkdir()
        fill("control", data, root)

        def put(target, content):
            path = root / tree.merged(target)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

        add_modules(data, put)
        for target, content in (extra or {}).items():
            put(target, content)
        archive = cpio.Archive()
        archive.tree(root)
        archive.add("init", program(data["init"]).read_bytes(), 0o100755)
        archive.node("dev/console", 5, 1)
        archive.write(folder / "initrd")

    extra_key = [item for pair in sorted((extra or {}).items()) for item in pair]
    return cache.made("control", cache.digest(key("control", data), extra_key), maker,
                      "making the control root image") / "initrd"


def guest(name):
    """(initrd, disk) of a guest's recipe."""
    data = recipe(name)

    def maker(folder):
        archive = cpio.Archive()
        for one in ("proc", "sys", "dev", "run", "mnt"):
            archive.folder(one)
        add_modules(data, lambda target, content: archive.add(target, content))
        archive.add("init", program(data["init"]).read_bytes(), 0o100755)
        archive.node("dev/console", 5, 1)
        archive.write(folder / "initrd")
        root = folder / "root"
        root.mkdir()
        on_disk = fill(name, data, root)
        if "disk_drivers" in data:  # loaded by a program of the guest, where there is such a device
            add_modules({"modules": [], "drivers": data["disk_drivers"]}, on_disk.write)
        fix_times(root)
        step.command(["mkfs.erofs", *data.get("erofs", []), "-T", paths.EPOCH, "--all-root", "-U",
                      uuid.uuid5(NAMESPACE, name), folder / "root.erofs", root])
        vhd.wrap(folder / "root.erofs", folder / "disk.vhd", uuid.uuid5(NAMESPACE, name + " disk"))

    folder = cache.made(name, key(name, data), maker, f"making the {name} image")
    return folder / "initrd", folder / "disk.vhd"
