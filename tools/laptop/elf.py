# SPDX-License-Identifier: Apache-2.0
"""What the image makers must know about ELF files: segments of vmlinux, and libraries a program needs."""
import struct

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
PAGE = 4096


def segments(data):
    """(offset of the header, type, file offset, vaddr, size in file) of each program header."""
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        at = offset + i * size
        kind, _, file_offset, vaddr, _, file_size = struct.unpack_from("<IIQQQQ", data, at)
        yield at, kind, file_offset, vaddr, file_size


def trim(data):
    """vmlinux without sections and without the zeros at the end of each segment; notes (PVH) stay valid."""
    head = bytearray(data[:PAGE])
    out = bytearray()
    moved = []
    for at, kind, offset, _, size in segments(data):
        if kind == PT_LOAD:
            used = len(data[offset:offset + size].rstrip(b"\0"))
            used = min((used + PAGE - 1) & ~(PAGE - 1), size)
            moved.append((offset, used, PAGE + len(out)))
            struct.pack_into("<Q", head, at + 8, PAGE + len(out))
            struct.pack_into("<Q", head, at + 32, used)
            out += data[offset:offset + used]
            out += b"\0" * (-len(out) % PAGE)
    for at, kind, offset, _, size in segments(data):
        if kind == PT_NOTE:
            for old, used, new in moved:
                if old <= offset and offset + size <= old + used:
                    struct.pack_into("<Q", head, at + 8, new + offset - old)
    struct.pack_into("<Q", head, 40, 0)
    struct.pack_into("<HHH", head, 58, 0, 0, 0)
    return bytes(head + out)


def needed(data):
    """Names of the shared libraries (and of the interpreter) an ELF file asks for."""
    if data[:5] != b"\x7fELF\x02":
        return []
    loads, names = [], []
    dynamic = None
    for _, kind, offset, vaddr, size in segments(data):
        if kind == PT_LOAD:
            loads.append((vaddr, size, offset))
        elif kind == PT_DYNAMIC:
            dynamic = (offset, size)
        elif kind == PT_INTERP:
            names.append(data[offset:offset + size].rstrip(b"\0").decode().rpartition("/")[2])
    if dynamic is None:
        return names
    entries = list(struct.iter_unpack("<QQ", data[dynamic[0]:dynamic[0] + dynamic[1]]))
    strings = next(value for tag, value in entries if tag == 5)
    base = next(offset + strings - vaddr for vaddr, size, offset in loads if vaddr <= strings < vaddr + size)
    for tag, value in entries:
        if tag == 1:
            names.append(data[base + value:data.index(b"\0", base + value)].decode())
        if tag == 0:
            break
    return names
