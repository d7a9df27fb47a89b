#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds bulkhead.ko: build.sh KDIR OUTDIR. The sources are copied, so that the tree stays clean and the
# result depends on neither path nor time. FAKE=tests/kmod/fake.c puts that file in the hypervisor's place.
set -eu
if [ $# -ne 2 ] || [ ! -e "$1/Module.symvers" ]; then
	echo "usage: build.sh KDIR OUTDIR (KDIR: kernel headers with Module.symvers)" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
kdir=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
src=$out/src
mkdir -p "$src/abi"
for file in "$here"/*.[ch] "$here/Kbuild"; do
	cmp -s "$file" "$src/${file##*/}" || cp "$file" "$src/"
done
for file in "$here"/../../hv/abi/*.h; do
	cmp -s "$file" "$src/abi/${file##*/}" || cp "$file" "$src/abi/"
done
if [ -n "${FAKE:-}" ]; then
	cp "$FAKE" "$src/fake.c"
fi
export KBUILD_BUILD_TIMESTAMP="@${SOURCE_DATE_EPOCH:-0}" KBUILD_BUILD_USER=bulkhead KBUILD_BUILD_HOST=bulkhead
make -s -C "$kdir" M="$src" ${FAKE:+BULKHEAD_EXTRA=fake.o} \
	KCFLAGS="-g0 -fmacro-prefix-map=$src/= ${FAKE:+-DBULKHEAD_FAKE}" ${SPARSE:+C=2} W=1 modules >"$out/log" 2>&1 || {
	cat "$out/log" >&2
	exit 1
}
objcopy --strip-debug "$src/bulkhead.ko" "$out/bulkhead.ko"
