#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Boots a stock Debian kernel under bulkhead-runner-kvm: the runner and the back ends as they are, over KVM
# inside an emulated AMD machine (QEMU TCG), so without the hypervisor and without a virtualization CPU.
#
#   kvm-runner.sh [--build DIR] [--out DIR] [--devices 'TYPE=COMMAND' ...] [--guest-script FILE]
#                 [--cmdline TEXT] [--runner-args TEXT] [--file FILE ...] [--qemu-args TEXT] [--timeout S]
#                 [--during FILE] [--vcpus N]
#
# --devices TYPE=COMMAND  starts COMMAND with "--vhost-socket /run/TYPE.sock" and gives the runner that device;
#                         COMMAND's program is taken from the build folder or is one of --file
# --guest-script FILE     runs in the inner guest as /test.sh (default: says READY and what it found)
# --during FILE           runs in the outer machine beside the runner
# --file FILE             goes to / of the outer machine
# BULKHEAD_KERNEL_DIR     an unpacked linux-image package (default: fetched into <build>/kernel)
#
# Prints the serial output; exit code is that of the runner, 99 when the machine did not get that far.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
build=$here/build out= script= cmdline= runner_args= qemu_args= timeout=180 during= vcpus=1
devices=() files=()
while [ $# -gt 0 ]; do
	case $1 in
	--build) build=$2 ;;
	--out) out=$2 ;;
	--devices) devices+=("$2") ;;
	--guest-script) script=$2 ;;
	--cmdline) cmdline=$2 ;;
	--runner-args) runner_args=$2 ;;
	--file) files+=("$2") ;;
	--qemu-args) qemu_args=$2 ;;
	--timeout) timeout=$2 ;;
	--during) during=$2 ;;
	--vcpus) vcpus=$2 ;;
	*) sed -n '3,19s/^# \{0,1\}//p' "$0"; exit 2 ;;
	esac
	shift 2
done
out=${out:-$build/kvm-runner}
kernel=${BULKHEAD_KERNEL_DIR:-$build/kernel}
mkdir -p "$out"

if [ ! -d "$kernel/boot" ]; then
	mkdir -p "$kernel"
	package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image/{print $2; exit}')
	(cd "$kernel" && apt-get download -q "$package" && dpkg -x "$package"_*.deb .)
fi
vmlinuz=$(echo "$kernel"/boot/vmlinuz-*)
version=${vmlinuz##*/vmlinuz-}
if [ ! -f "$kernel/vmlinux" ]; then
	python3 - "$vmlinuz" "$kernel/vmlinux" <<-'EOF'
	import lzma, sys
	image = open(sys.argv[1], 'rb').read()
	at = image.index(b'\xfd7zXZ\0')
	open(sys.argv[2], 'wb').write(lzma.LZMADecompressor().decompress(image[at:]))
	EOF
fi

# add_modules ROOT NAME...: copies modules and what they need, in load order, to ROOT/modules/NN-name.ko
add_modules() {
	local root=$1 tree=$kernel/lib/modules/$version name file dep
	shift
	mkdir -p "$root/modules"
	for name; do
		name=${name//-/_}
		if ls "$root"/modules/*-"$name".ko >/dev/null 2>&1; then continue; fi
		file=$(find "$tree" -name "$name.ko" -o -name "${name//_/-}.ko" | head -1)
		if [ -z "$file" ]; then continue; fi # built in
		for dep in $(modinfo -F depends "$file" | tr , ' '); do add_modules "$root" "$dep"; done
		strip --strip-debug -o "$root/modules/$(printf %02d "$(ls "$root/modules" | wc -l)")-$name.ko" "$file"
	done
}

# pack ROOT FILE: an initramfs
pack() { (cd "$1" && find . | cpio -o -H newc --quiet --owner 0:0) >"$2"; }

inner=$(mktemp -d "$out/inner.XXXXXX") outer=$(mktemp -d "$out/outer.XXXXXX")
trap 'rm -rf "$inner" "$outer"' EXIT
mkdir -p "$inner"/{bin,dev,proc,sys,mnt,tmp} "$outer"/{bin,dev,proc,sys,run,tmp,lib64}
cp /bin/busybox "$inner/bin/"
cp /bin/busybox "$outer/bin/"
add_modules "$inner" virtio_pci virtio_blk virtio_console virtio_rng virtio_input virtio_gpu evdev virtio_net
if [ -n "$script" ]; then
	cp "$script" "$inner/test.sh"
else
	printf '%s\n' '#!/bin/sh' 'cat /proc/interrupts' 'dmesg | grep -iE "warn|error|fail" | head' \
		'ls /dev/hvc* /dev/vd* /dev/input /dev/dri 2>/dev/null' 'echo READY' >"$inner/test.sh"
fi
cat >"$inner/init" <<'EOF'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in /modules/*; do insmod $m; done
sh /test.sh
sleep 1; poweroff -f
EOF
add_modules "$outer" ccp irqbypass kvm kvm_amd

binary() { # binary NAME: its path in the build folder or among --file
	local found
	for found in ${files[@]+"${files[@]}"}; do
		if [ "${found##*/}" = "$1" ]; then return; fi
	done
	find "$build" -type f -name "$1" -perm -u+x | head -1
}
programs=(bulkhead-runner-kvm)
starts= device_args=
for device in ${devices[@]+"${devices[@]}"}; do
	type=${device%%=*} command=${device#*=}
	programs+=("${command%% *}")
	starts+="$command --vhost-socket /run/$type.sock &"$'\n'"while [ ! -S /run/$type.sock ]; do usleep 10000; done"$'\n'
	device_args+=" --device $type:/run/$type.sock"
done
for name in "${programs[@]}"; do
	path=$(binary "$name")
	if [ -n "$path" ]; then cp "$path" "$outer/bin/"; fi
done
for file in ${files[@]+"${files[@]}"}; do cp "$file" "$outer/"; [ ! -x "$file" ] || cp "$file" "$outer/bin/"; done
for program in "$outer"/bin/*; do
	{ ldd "$program" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } | while read -r library; do
		mkdir -p "$outer$(dirname "$library")"
		cp -L "$library" "$outer$library"
	done
done
cp "$kernel/vmlinux" "$outer/vmlinux"
[ -z "$during" ] || cp "$during" "$outer/during.sh"
chmod +x "$inner/init"
pack "$inner" "$outer/inner.cpio"
default="console=ttyS0 quiet panic=-1 nokaslr mitigations=off random.trust_cpu=on audit=0 selinux=0 cryptomgr.notests"
cat >"$outer/init" <<EOF
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
for m in /modules/*; do insmod \$m; done
export PATH=/bin:/
cd /
$starts
[ ! -f /during.sh ] || sh /during.sh &
export BULKHEAD_KVM_VCPUS=$vcpus
time bulkhead-runner-kvm --part 1 --kernel /vmlinux --initrd /inner.cpio --serial-fd 1 \
	--cmdline "$default $cmdline" $device_args $runner_args
echo "RUNNER EXIT \$?"
sleep 1; poweroff -f
EOF
chmod +x "$outer/init"
pack "$outer" "$out/outer.cpio"

rm -f "$out/serial.log"
timeout "$timeout" qemu-system-x86_64 -machine q35 -accel tcg -cpu EPYC,+svm -m 1536 -display none -no-reboot \
	-nic none -monitor none -serial "file:$out/serial.log" -kernel "$vmlinuz" -initrd "$out/outer.cpio" \
	-append "console=ttyS0 panic=-1 quiet mitigations=off random.trust_cpu=on" $qemu_args &
qemu=$!
tail --pid=$qemu -n +1 -F "$out/serial.log" 2>/dev/null || true
wait $qemu || true
code=$(tr -d '\r' <"$out/serial.log" | sed -n 's/^RUNNER EXIT //p' | tail -1)
exit "${code:-99}"
