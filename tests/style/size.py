#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Root mode stays within its size: code lines, stack of a function, memory of the image (tools/size)."""
import subprocess
import sys

from tree import TOP

r = subprocess.run([str(TOP / "tools" / "size")], capture_output=True, text=True)
print("".join(f"# {line}\n" for line in (r.stdout + r.stderr).splitlines()), end="")
print(f"{'not ok' if r.returncode else 'ok'} 1 - root mode is within its limits\n1..1")
sys.exit(1 if r.returncode else 0)
