# SPDX-License-Identifier: Apache-2.0
"""./run --guest FILE: one guest alone, by tools/guest-run; its exit code is ours."""
import subprocess

from . import build, image, paths, step


def main(options, machine):
    with step.step("building the programs"):
        step.command(["ninja", "-C", paths.BUILD, *build.GUEST_TARGETS], timeout=1800)
    for name in build.GUEST_TARGETS:
        image.program(name)
    args = [paths.ROOT / "tools" / "guest-run", f"--append={options.append}", "--machine", machine]
    if options.cpus:
        args += ["--cpus", options.cpus]
    if options.icount:
        args += ["--icount"]
    if options.timeout:
        args += ["--timeout", str(int(options.timeout))]
    if options.initrd:
        args += ["--initrd", options.initrd]
    return subprocess.call([str(a) for a in [*args, options.guest]])
