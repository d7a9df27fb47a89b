# SPDX-License-Identifier: Apache-2.0
"""From the tree to a bootable disk image: programs by meson, images by recipe, policy, GRUB's menu."""
import json
import tomllib

from . import cache, deb, disk, image, kernel, paths, secure, step

GUESTS = ("desktop", "browser", "management")
GUEST_TARGETS = ("policy/tool/bulkhead-policy", "hv/boot/bulkhead.elf", "partitions/bare/bare.elf")
# A BIOS leaves the screen in text mode; after the command multiboot2, which sets the mode that root mode asks for.
MENU = """\
set timeout=0
menuentry "Bulkhead" {{
	multiboot2 /boot/bulkhead.elf {options}
	if [ "$grub_platform" = pc ]; then
		set gfxpayload=text
	fi
{modules}}}
"""


def packages():
    """Installs what packages.txt names and is missing; the helper names it first."""
    step.command([paths.ROOT / "tools" / "packages"], "install the packages that packages.txt lists", timeout=1800)


def prepare():
    if not (paths.BUILD / "build.ninja").is_file():
        with step.step("preparing the build folder"):
            step.command(["meson", "setup", paths.BUILD], cwd=paths.ROOT, timeout=300)


def programs():
    """Builds all programs of the laptop; a second time this takes about a second."""
    prepare()
    with step.step("building the programs"):
        step.command(["ninja", "-C", paths.BUILD, *targets()], "see the compiler's message above", timeout=1800)


def targets():
    """What the images hold, and nothing else: tests are built by ./check."""
    wanted = {"policy/compile/policy-table", "hv/boot/bulkhead.elf"}
    variants = [variant["image"] for variant in definitions()["desktop"].values()]
    for name in ("control", *GUESTS, *variants):
        data = image.recipe(name)
        wanted |= {data["init"], *data.get("programs", {})}
    return sorted(wanted)


def kernel_module():
    """bulkhead.ko for the kernel of the images."""
    headers = deb.kernel_package().replace("linux-image", "linux-headers")
    source = paths.ROOT / "partitions" / "kmod"

    def maker(folder):
        step.command([source / "build.sh", f"/usr/src/{headers}", folder],
                     f"install {headers}: the module must fit the kernel of the images", timeout=300)

    key = cache.digest("1", headers, source, paths.ROOT / "hv" / "abi")
    return cache.made("kmod", key, maker, "building bulkhead.ko") / "bulkhead.ko"


def definitions():
    with open(paths.DEFS / "laptop.toml", "rb") as file:
        return tomllib.load(file)


def definition(name):
    """What /etc/bulkhead/partitions/NAME.json says."""
    return json.loads((paths.DEFS / f"{name}.json").read_text())


def policy(parts, modules, words=(), devices=()):
    """The policy table for partitions [{name, ram_mib, ...}], boot modules {role: path} and real devices
    [{role, part, class, ...}]; more words for its tool."""
    args = list(words)
    for part in parts:
        fields = (part[f] for f in ("name", "ram_mib", "vcpus", "weight", "flags", "doorbells"))
        args += ["--part", ":".join(str(f) for f in fields)]
    for device in devices:
        args += ["--device", ",".join(f"{word}={value}" for word, value in device.items())]
    for role, path in modules.items():
        args += ["--module", f"{role}={path}"]
    tool = image.program("policy/compile/policy-table")

    def maker(folder):
        step.command([tool, "--out", folder / "policy", *args])

    return cache.made("policy", cache.digest(args, tool, list(modules.values())), maker) / "policy"


def boot_files(modules, table, options="", words=None):
    """Files of the boot partition for modules {role: path}; words: what follows a role on its line."""
    lines = "\tmodule2 /boot/policy policy\n"
    files = {"boot/bulkhead.elf": image.program("hv/boot/bulkhead.elf"), "boot/policy": table}
    for role, path in modules.items():
        lines += f"\tmodule2 --nounzip /boot/{role} {role} {(words or {}).get(role, '')}".rstrip() + "\n"
        files[f"boot/{role}"] = path
    files["boot/grub/grub.cfg"] = MENU.format(options=options, modules=lines).encode()
    return files


def partition_files(words):
    """What goes into the control root besides programs: definitions of the partitions, with more words for each
    guest's kernel."""
    files = {}
    for name in GUESTS:
        data = definition(name)
        data["cmdline"] = " ".join([data["cmdline"], *words])
        files[f"etc/bulkhead/partitions/{name}.json"] = (json.dumps(data, indent=2) + "\n").encode()
    return files


def laptop(check=False, append="", parts=(), guests=None, desktop="light", real=False, chain=None):
    """Path of the disk image of the laptop, the same for all emulators. check: each guest also tells which keys it
    receives; append: more words for the control kernel's command line; desktop: "full" or "light"; real: for a real
    CPU; chain: signed for Secure Boot (secure.py). Tests add guests: their entries in the policy, and {name: (definition, kernel's path)}."""
    laptop_data = definitions()
    machine_words = [] if real else laptop_data["boot"]["emulated"]
    variant = laptop_data["desktop"][desktop]
    recipes = {name: variant["image"] if name == "desktop" else name for name in GUESTS}
    named = [image.recipe(recipe)["packages"] for recipe in ("control", *recipes.values())]
    deb.resolve([deb.kernel_package(), *(package for packages in named for package in packages)])
    extra = partition_files([*machine_words, *(["bulkhead.keys=1"] if check else [])])
    files = {}
    for name, (data, path) in (guests or {}).items():
        data = {**data, "name": name, "kernel": f"/system/images/{name}"}
        extra[f"etc/bulkhead/partitions/{name}.json"] = (json.dumps(data, indent=2) + "\n").encode()
        files[f"images/{name}"] = path
    extra["lib/modules/bulkhead.ko"] = kernel_module().read_bytes()
    modules = {"kernel": kernel.vmlinux(), "initrd": image.control(extra)}
    boot = laptop_data["boot"]
    words = {"kernel": " ".join([*boot["kernel"]["cmdline"], *machine_words, *append.split()])}
    files["images/vmlinux"] = modules["kernel"]
    for name in GUESTS:
        files[f"images/{name}.initrd"], files[f"images/{name}.vhd"] = image.guest(recipes[name])
    own = [{**part, "ram_mib": variant["ram_mib"]} if part["name"] == "desktop" else part
           for part in laptop_data["part"]]
    table = policy([*own, *parts], modules, devices=laptop_data["device"])
    start = boot_files(modules, table, boot["options"], words)
    if chain:
        start = secure.boot_files(secure.test_keys(), start, chain)
    return disk.make(start, files)
