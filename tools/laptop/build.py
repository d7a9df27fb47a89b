# SPDX-License-Identifier: Apache-2.0
"""From the tree to a bootable disk image: programs by meson, images by recipe, policy, GRUB's menu."""
import json
import re
import tomllib

from . import cache, deb, disk, image, kernel, paths, secure, step

GUESTS = ("desktop", "browser", "management")
POLICY_TOOL = "policy/tool/bulkhead-policy"
GUEST_TARGETS = (POLICY_TOOL, "hv/boot/bulkhead.elf", "partitions/bare/bare.elf")
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
    wanted = {POLICY_TOOL, "hv/boot/bulkhead.elf"}
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
    """The recipe /etc/bulkhead/partitions/NAME.json."""
    return json.loads((paths.DEFS / f"{name}.json").read_text())


def layers(desktop="light", guests=None):
    """Files of /etc/bulkhead/policy {name: bytes}: the default policy, and the laptop's layer with more partitions
    {name: statements}."""
    name = definitions()["desktop"][desktop]["policy"]
    text = (paths.DEFS / name).read_text()
    for guest, statements in (guests or {}).items():
        text += f"\npartition {guest}\n" + "".join(f"\t{line}\n" for line in statements)
    examples = paths.ROOT / "policy" / "examples"
    return {"vendor.pol": (examples / "default.pol").read_bytes(),
            "common.pol": (examples / "common.pol").read_bytes(),
            "laptop-parts.pol": (paths.DEFS / "laptop-parts.pol").read_bytes(),
            "it.pol": text.encode()}


def said(name, word, desktop="light"):
    """What the policy of the laptop says of a partition last: the rest of the statement."""
    found, inside = None, False
    for file in ("vendor.pol", "laptop-parts.pol", "it.pol"):
        for line in layers(desktop)[file].decode().splitlines():
            if line.startswith("partition "):
                inside = line.split()[1] == name
            match = re.match(rf"\s+(?:default )?{word} (.*)", line)
            if inside and match:
                found = match.group(1).strip('"')
    return found


def ram_mib(name, desktop="light"):
    return int(said(name, "memory", desktop).removesuffix("MiB"))  # as bulkhead policy fmt writes it


def table(texts, modules):
    """The policy table for layers {name: bytes} with the boot modules {role: path}."""
    tool = image.program(POLICY_TOOL)
    named = [f"{layer}.pol" for layer in ("vendor", "it", "user") if f"{layer}.pol" in texts]
    args = [word for role, path in modules.items() for word in ("--module", f"{role}={path}")]

    def maker(folder):
        for name, content in texts.items():
            (folder / name).write_bytes(content)
        step.command([tool, "compile", *(folder / name for name in named), "-o", folder / "policy", *args],
                     "see the compiler's messages above")

    content = [item for name in sorted(texts) for item in (name, texts[name])]
    return cache.made("policy", cache.digest("2", content, args, tool, list(modules.values())), maker) / "policy"


def policy(parts, modules, iommu="wanted"):
    """The policy table of a small machine: partitions {name: statements}, control among them."""
    text = f'policy vendor "Test" version 1\niommu {iommu}\nrole keyboard = keyboard\nrole screen = screen\n'
    for name, statements in parts.items():
        text += f"partition {name}\n" + "".join(f"\t{line}\n" for line in statements)
    text += "keys: allow input keyboard -> control\npixels: allow display control -> screen\n"
    return table({"vendor.pol": text.encode()}, modules)


def boot_files(modules, policy_table, options="", words=None):
    """Files of the boot partition for modules {role: path}; words: what follows a role on its line."""
    lines = "\tmodule2 /boot/policy policy\n"
    files = {"boot/bulkhead.elf": image.program("hv/boot/bulkhead.elf"), "boot/policy": policy_table}
    for role, path in modules.items():
        lines += f"\tmodule2 --nounzip /boot/{role} {role} {(words or {}).get(role, '')}".rstrip() + "\n"
        files[f"boot/{role}"] = path
    files["boot/grub/grub.cfg"] = MENU.format(options=options, modules=lines).encode()
    return files


def partition_files(words):
    """What goes into the control root besides programs: recipes of the partitions, with more words for each guest's
    kernel."""
    files = {}
    for name in GUESTS:
        data = definition(name)
        data["cmdline"] = " ".join([data["cmdline"], *words])
        files[f"etc/bulkhead/partitions/{name}.json"] = (json.dumps(data, indent=2) + "\n").encode()
    return files


def laptop(check=False, append="", guests=None, desktop="light", real=False, chain=None, extra=None):
    """Path of the disk image of the laptop, the same for all emulators. check: each guest also tells which keys it
    receives; append: more words for the control kernel's command line; desktop: "full" or "light"; real: for a real
    CPU; chain: signed for Secure Boot (secure.py). Tests add guests {name: (statements of the policy, kernel's path)}
    and extra files of the control root {path: bytes}."""
    laptop_data = definitions()
    machine_words = [] if real else laptop_data["boot"]["emulated"]
    recipes = {name: laptop_data["desktop"][desktop]["image"] if name == "desktop" else name for name in GUESTS}
    named = [image.recipe(recipe)["packages"] for recipe in ("control", *recipes.values())]
    deb.resolve([deb.kernel_package(), *(package for packages in named for package in packages)])
    root = partition_files([*machine_words, *(["bulkhead.keys=1"] if check else [])])
    files = {}
    for name, (_, path) in (guests or {}).items():
        root[f"etc/bulkhead/partitions/{name}.json"] = (json.dumps({"kernel": f"/system/images/{name}"}) + "\n").encode()
        files[f"images/{name}"] = path
    texts = layers(desktop, {name: statements for name, (statements, _) in (guests or {}).items()})
    root |= {f"etc/bulkhead/policy/{name}": content for name, content in texts.items()}
    root |= extra or {}
    root["lib/modules/bulkhead.ko"] = kernel_module().read_bytes()
    modules = {"kernel": kernel.vmlinux(), "initrd": image.control(root)}
    boot = laptop_data["boot"]
    words = {"kernel": " ".join([*boot["kernel"]["cmdline"], *machine_words, *append.split()])}
    files["images/vmlinux"] = modules["kernel"]
    for name in GUESTS:
        files[f"images/{name}.initrd"], files[f"images/{name}.vhd"] = image.guest(recipes[name])
    files["policy"] = table(texts, modules)
    start = boot_files(modules, files["policy"], boot["options"], words)
    if chain:
        start = secure.boot_files(secure.test_keys(), start, chain)
    return disk.make(start, files)
