# SPDX-License-Identifier: Apache-2.0
"""Images as other programs write them, byte by byte: what no tool of the test machine makes.

Habits are facts that were measured on images of those programs, or read in the specification (Microsoft, "Virtual
Hard Disk Image Format Specification" 1.0)."""
import struct

SECTOR = 512
UNUSED = 0xFFFFFFFF


def checksum(data, at):
    return ~(sum(data) - sum(data[at:at + 4])) & 0xFFFFFFFF


def chs(size):
    """"CHS Calculation" of the specification."""
    total = min(size // SECTOR, 65535 * 16 * 255)
    if total >= 65535 * 16 * 63:
        spt, heads, ctimesh = 255, 16, total // 255
    else:
        spt, ctimesh = 17, total // 17
        heads = max((ctimesh + 1023) // 1024, 4)
        if ctimesh >= heads * 1024 or heads > 16:
            spt, heads, ctimesh = 31, 16, total // 31
        if ctimesh >= heads * 1024:
            spt, heads, ctimesh = 63, 16, total // 63
    return ctimesh // heads, heads, spt


def footer(kind, size, uuid, creator=b"win ", host=b"Wi2k", version=0x000A0000, data=None, geometry=None, stamp=0x2A000000,
           original=None, saved=0):
    data = data if data is not None else (0xFFFFFFFFFFFFFFFF if kind == 2 else 512)
    cylinders, heads, spt = geometry or chs(size)
    raw = bytearray(struct.pack(">8sIIQI4sI4sQQHBBII16sB", b"conectix", 2, 0x10000, data, stamp, creator, version, host,
                                original or size, size, cylinders, heads, spt, kind, 0, uuid, saved))
    raw += bytes(512 - len(raw))
    raw[64:68] = struct.pack(">I", checksum(raw, 64))
    return bytes(raw)


def header(table, entries, block, parent=None, locators=()):
    """parent: (uuid, timestamp, bytes of the name); locators: (code, space, length, offset)."""
    uuid, stamp, name = parent or (bytes(16), 0, b"")
    raw = bytearray(struct.pack(">8sQQIIII16sII512s", b"cxsparse", 0xFFFFFFFFFFFFFFFF, table, 0x10000, entries, block, 0,
                                uuid, stamp, 0, name))
    for code, space, length, offset in locators:
        raw += struct.pack(">4sIIIQ", code, space, length, 0, offset)
    raw += bytes(1024 - len(raw))
    raw[36:40] = struct.pack(">I", checksum(raw, 36))
    return bytes(raw)


class Sparse:
    """A dynamic or differencing image. `blocks`: number -> {sector: bytes}; sectors that are not named are not set in
    the bitmap (or are zeros, with all_ones)."""

    def __init__(self, size, uuid, block=2 << 20, **options):
        self.size, self.uuid, self.block = size, uuid, block
        self.creator = options.pop("creator", b"win ")
        self.table = options.pop("table", 1536)
        self.first = options.pop("first", None)     # offset of the first block's bitmap
        self.align = options.pop("align", None)     # data of each block on that boundary
        self.all_ones = options.pop("all_ones", True)
        self.parent = options.pop("parent", None)   # (uuid, timestamp, bytes)
        self.names = options.pop("names", ())       # (code, space, bytes, offset)
        self.order = options.pop("order", None)     # of blocks in the file
        self.entries = options.pop("entries", None)
        self.short = options.pop("short", False)    # 511-byte footer
        self.extra = options.pop("extra", ())       # (offset, bytes)
        self.footer_options = options
        self.blocks = {}

    def put(self, offset, data):
        assert offset % SECTOR == 0 and len(data) % SECTOR == 0
        for i in range(0, len(data), SECTOR):
            at = offset + i
            self.blocks.setdefault(at // self.block, {})[at % self.block // SECTOR] = data[i:i + SECTOR]
        return self

    def build(self):
        count = (self.size + self.block - 1) // self.block
        entries = self.entries or count
        bitmap_size = (self.block // SECTOR // 8 + SECTOR - 1) // SECTOR * SECTOR
        table = [UNUSED] * entries
        out = bytearray(max(self.table + (4 * entries + SECTOR - 1) // SECTOR * SECTOR, self.first or 0))
        locators = []
        for code, space, name, offset in self.names:
            out += bytes(max(0, offset + (len(name) + 511) // 512 * 512 - len(out)))
            out[offset:offset + len(name)] = name
            locators.append((code, space, len(name), offset))
        for offset, data in self.extra:
            out += bytes(max(0, offset + len(data) - len(out)))
            out[offset:offset + len(data)] = data
        out += bytes(-len(out) % SECTOR)
        for number in self.order or sorted(self.blocks):
            if self.align:
                out += bytes(-(len(out) + bitmap_size) % self.align)
            table[number] = len(out) // SECTOR
            bits, data = bytearray(bitmap_size), bytearray(self.block)
            for sector, content in self.blocks[number].items():
                bits[sector // 8] |= 0x80 >> sector % 8
                data[sector * SECTOR:(sector + 1) * SECTOR] = content
            if self.all_ones:
                bits = bytearray(b"\xff" * bitmap_size)
            out += bits + data
        kind = 4 if self.parent else 3
        foot = footer(kind, self.size, self.uuid, self.creator, **self.footer_options)
        out[0:512] = foot
        out[512:1536] = header(self.table, entries, self.block, self.parent, locators)
        out[self.table:self.table + 4 * entries] = struct.pack(">%dI" % entries, *table)
        return bytes(out) + (foot[:511] if self.short else foot)


def utf16le(text):
    return text.encode("utf-16-le")


def utf16be(text):
    return text.encode("utf-16-be")
