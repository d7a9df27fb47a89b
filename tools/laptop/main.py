# SPDX-License-Identifier: Apache-2.0
"""The command line of ./run."""
import argparse
import sys

from . import build, step

EPILOG = """exit codes: 0 done, 1 something failed (said on standard error), 2 wrong usage; --guest: the guest's own.
environment: BULKHEAD_CACHE (default out/cache), BULKHEAD_BUILD (default build), SOURCE_DATE_EPOCH."""
CHECK_LIMIT = 600


def parse(arguments):
    parser = argparse.ArgumentParser(prog="run", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Builds Bulkhead and starts the emulated VT-x laptop with it.")
    parser.add_argument("--check", action="store_true", help="without a display: boot, switch by keys, prove, sum up")
    parser.add_argument("--json", action="store_true", help="with --check: the summary as one JSON object")
    parser.add_argument("--guest", metavar="FILE", help="start only this guest (ELF or bzImage), return its exit code")
    parser.add_argument("--append", default="", metavar="WORDS", help="with --guest: its command line")
    parser.add_argument("--initrd", metavar="FILE", help="with --guest: its initial ramdisk")
    parser.add_argument("--machine", default="bochs", help="the emulator: bochs")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="end after so long (--check: default 600)")
    parser.add_argument("--desktop", choices=("full", "light"), default="full",
                        help="content of the desktop partition: Weston and foot (default), or a shell on the console")
    parser.add_argument("--install", action="store_true", help="only install the Debian packages that are missing")
    parser.add_argument("--build", action="store_true", help="only build programs, images and disk; print its path")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    options = parser.parse_args(arguments)
    if options.machine != "bochs":
        parser.error(f"--machine {options.machine}: not yet; bochs is the only one")
    return options


def run(options):
    build.packages()
    if options.install:
        return 0
    if options.guest:
        from . import guest
        build.prepare()
        return guest.main(options)
    build.programs()
    if options.check:
        from . import check
        return check.main(options.timeout or CHECK_LIMIT, options.json, options.desktop)
    if options.build:
        print(build.laptop(desktop=options.desktop))
        return 0
    from . import show
    return show.main(options.timeout, options.desktop)


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
