# SPDX-License-Identifier: Apache-2.0
"""Fixed VHD: the content, padded to a geometry, then one 512-byte footer (Microsoft, "Virtual Hard Disk
Image Format Specification", October 2006, section "Hard Disk Footer Format")."""
import struct

from . import paths

SECTOR = 512
Y2K = 946684800


def geometry(sectors):
    """Cylinders, heads, sectors per track, by the algorithm of the specification's appendix."""
    sectors = min(sectors, 65535 * 16 * 255)
    if sectors >= 65535 * 16 * 63:
        per_track, heads = 255, 16
        cylinder_heads = sectors // per_track
    else:
        per_track = 17
        cylinder_heads = sectors // per_track
        heads = max(4, (cylinder_heads + 1023) // 1024)
        if cylinder_heads >= heads * 1024 or heads > 16:
            per_track, heads = 31, 16
            cylinder_heads = sectors // per_track
        if cylinder_heads >= heads * 1024:
            per_track, heads = 63, 16
            cylinder_heads = sectors // per_track
    return cylinder_heads // heads, heads, per_track


def footer(size, identity):
    # Readers (qemu 7.2 for one) cut disks of unknown creators to their geometry; "win " is known to all.
    cylinders, heads, per_track = geometry(size // SECTOR)
    head = struct.pack(">8sIIQI4sI4sQQHBBI", b"conectix", 2, 0x10000, 0xFFFFFFFFFFFFFFFF, paths.EPOCH - Y2K,
                       b"win ", 0xA0000, b"Wi2k", size, size, cylinders, heads, per_track, 2)
    tail = identity.bytes + b"\0" * 428
    total = ~sum(head + tail) & 0xFFFFFFFF
    return head + struct.pack(">I", total) + tail


def wrap(source, target, identity):
    """Makes a fixed VHD whose content is `source`, padded with zeros to a whole MiB."""
    with open(source, "rb") as file:
        data = file.read()
    data += b"\0" * (-len(data) % (1 << 20))
    with open(target, "wb") as out:
        out.write(data)
        out.write(footer(len(data), identity))
