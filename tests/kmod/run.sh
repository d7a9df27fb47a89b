#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots KERNEL (bzImage) in QEMU with the module, built against KDIR, over tests/kmod/fake.c; passes its TAP
# on and exits 0 if all went well. Usage: run.sh KERNEL KDIR WORKDIR
set -eu
if [ $# -ne 3 ]; then
	echo "usage: run.sh KERNEL KDIR WORKDIR" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
kernel=$1
work=$3
mkdir -p "$work/root"
FAKE="$here/fake.c" "$root/partitions/kmod/build.sh" "$2" "$work/ko"
gcc -std=c11 -O1 -Wall -Wextra -Werror -static -I"$root/partitions" -I"$root/partitions/kmod/client" \
	-I"$root/hv" "$here/main.c" "$root/partitions/kmod/client/bulkhead_dev.c" -o "$work/root/init"
cp "$work/ko/bulkhead.ko" "$work/root/"
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"
timeout 300 qemu-system-x86_64 -accel tcg -cpu max -m 512 -display none -serial stdio -no-reboot \
	-kernel "$kernel" -initrd "$work/initrd.gz" \
	-append "console=ttyS0 quiet panic=-1 oops=panic memmap=16M\$256M" </dev/null >"$work/console"
tr -d '\r' <"$work/console" | sed -n '/^\(not \)\?ok \|^1\.\.\|^#\|bulkhead:\|BUG\|WARN/p'
grep -q '^# 0 failed' "$work/console" && ! grep -q 'Call Trace' "$work/console"
