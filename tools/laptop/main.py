# SPDX-License-Identifier: Apache-2.0
"""The command line of ./run."""
import argparse
import sys

from . import build, choose, secure, step

EPILOG = """machines: kvm is this PC's own VT-x or AMD-V, handed on by nested KVM; qemu emulates AMD-V, VT-d and several CPUs;
bochs emulates VT-x, one CPU by default, slowly. auto takes kvm where the PC offers it, else qemu, and says why.
kvm has not been tried yet: no PC of ours hands VT-x or AMD-V on.
exit codes: 0 done, 1 something failed (said on standard error), 2 wrong usage; --guest: the guest's own.
environment: BULKHEAD_CACHE (default out/cache), BULKHEAD_BUILD (default build), SOURCE_DATE_EPOCH."""
CHECK_LIMIT = 600


def parse(arguments):
    parser = argparse.ArgumentParser(prog="run", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Builds Bulkhead and starts the laptop with it, emulated or on nested KVM.")
    parser.add_argument("--check", action="store_true", help="without a display: boot, switch by keys, prove, sum up")
    parser.add_argument("--json", action="store_true", help="with --check: the summary as one JSON object")
    parser.add_argument("--guest", metavar="FILE", help="start only this guest (ELF or bzImage), return its exit code")
    parser.add_argument("--append", default="", metavar="WORDS", help="with --guest: its command line")
    parser.add_argument("--initrd", metavar="FILE", help="with --guest: its initial ramdisk")
    parser.add_argument("--machine", choices=choose.NAMES, default="auto", help="see below (default auto)")
    parser.add_argument("--cpus", type=int, metavar="N", help="CPUs of the laptop (default 2; bochs 1)")
    parser.add_argument("--disk", choices=("nvme", "ahci"), help="not on bochs: how the disk is attached (default nvme)")
    parser.add_argument("--gpu", choices=("std", "virtio"), help="not on bochs: the graphics card (default std)")
    parser.add_argument("--firmware", choices=("bios", "uefi"), help="not on bochs: SeaBIOS (default) or OVMF")
    parser.add_argument("--secure-boot", choices=secure.CHAINS, nargs="?", const="own", metavar="CHAIN",
                        help="not on bochs: OVMF with Secure Boot and test keys; own (default), stock or direct: see "
                        "docs/SECURE-BOOT.md")
    parser.add_argument("--icount", action="store_true", help="qemu: count instructions, same result each time")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="end after so long (--check: default 600)")
    parser.add_argument("--desktop", choices=("full", "light"), default="full",
                        help="content of the desktop partition: Weston and foot (default), or a shell on the console")
    parser.add_argument("--install", action="store_true", help="only install the Debian packages that are missing")
    parser.add_argument("--build", action="store_true", help="only build programs, images and disk; print its path")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    options = parser.parse_args(arguments)
    if options.cpus is not None and not 1 <= options.cpus <= 8:
        parser.error("--cpus must be from 1 to 8")
    if options.machine == "bochs" and qemu_only(options):
        parser.error("--disk, --gpu, --firmware, --secure-boot and --icount are not for --machine bochs")
    if options.guest and (options.disk or options.gpu or options.firmware or options.secure_boot):
        parser.error("--guest takes no --disk, --gpu, --firmware or --secure-boot: it boots from a CD of its own")
    if options.secure_boot and options.firmware == "bios":
        parser.error("--secure-boot needs --firmware uefi")
    if options.machine == "kvm" and options.icount:
        parser.error("--icount is for --machine qemu")
    return options


def qemu_only(options):
    return options.disk or options.gpu or options.firmware or options.secure_boot or options.icount


def machine_options(options):
    """What the machine's class takes, where the person said it."""
    wanted = {"cpus": options.cpus, "bus": options.disk, "gpu": options.gpu, "firmware": options.secure_boot or options.firmware,
              "icount": options.icount}
    return {name: value for name, value in wanted.items() if value}


def run(options):
    build.packages()
    if options.install:
        return 0
    machine, why = choose.choose(options.machine, choose.facts(), options.icount)
    if machine == "bochs" and qemu_only(options):
        raise step.Failure("--disk, --gpu, --firmware, --secure-boot and --icount need QEMU", "./run --install installs it")
    print(why, file=sys.stderr, flush=True)
    if options.guest:
        from . import guest
        build.prepare()
        return guest.main(options, machine)
    build.programs()
    if options.check:
        from . import check
        return check.main(options.timeout or CHECK_LIMIT, options.json, options.desktop, machine,
                          machine_options(options))
    if options.build:
        print(build.laptop(desktop=options.desktop, real=machine == "kvm", chain=options.secure_boot))
        return 0
    from . import show
    return show.main(options.timeout, options.desktop, machine, machine_options(options))


def main():
    options = parse(sys.argv[1:])
    step.quiet = options.quiet
    try:
        return run(options)
    except step.Failure as error:
        print(f"run: {error}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("run: interrupted", file=sys.stderr)
        return 1
