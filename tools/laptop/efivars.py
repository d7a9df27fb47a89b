# SPDX-License-Identifier: Apache-2.0
"""Variables in the flash file of OVMF, written before the firmware starts: keys of Secure Boot, as a person would
enrol them in the firmware's menu. Sources: UEFI 2.10, "Variable Services" and "Secure Boot and Driver Signing";
PI 1.8, "Firmware Volume"; the layout of the store was read back from the files in Debian's package ovmf."""
import struct
import uuid

from . import step

GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
SECURITY = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")
SHIM = uuid.UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")
OWNER = uuid.UUID("0d1e4c1a-6a55-4d11-9a3e-5b7f0c2d9e11")  # names who enrolled; any number will do

NON_VOLATILE, BOOT, RUNTIME, TIMED = 1, 2, 4, 0x20
KEY = NON_VOLATILE | BOOT | RUNTIME | TIMED
SET_AT = struct.pack("<HBBBBBBIhBB", 2025, 11, 21, 12, 0, 0, 0, 0, 0, 0, 0)

VOLUME_SIGNATURE = b"_FVH"
AUTHENTICATED = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792")
STORE_HEADER = 28
VARIABLE = struct.Struct("<HBBIQ16sIII16s")
START, ADDED = 0x55aa, 0x3f


def certificate_list(certificates):
    """EFI_SIGNATURE_LISTs with one X.509 certificate (DER) each."""
    return b"".join(X509.bytes_le + struct.pack("<III", 28 + 16 + len(der), 0, 16 + len(der)) + OWNER.bytes_le + der
                    for der in certificates)


def free_place(data):
    """(first byte behind the last variable, end of the store)."""
    header, = struct.unpack_from("<H", data, 48)
    if data[40:44] != VOLUME_SIGNATURE or data[header:header + 16] != AUTHENTICATED.bytes_le:
        raise step.Failure("the file of UEFI variables is of another kind", "use OVMF_VARS_4M.fd of the package ovmf")
    end = header + struct.unpack_from("<I", data, header + 16)[0]
    at = header + STORE_HEADER
    while at + VARIABLE.size <= end:
        start, _, _, _, _, _, _, name, size, _ = VARIABLE.unpack_from(data, at)
        if start != START:
            return at, end
        at += (VARIABLE.size + name + size + 3) & ~3
    return end, end


def add(data, variables):
    """The store with more variables: (vendor, name, attributes, content). They must not be in it yet."""
    data = bytearray(data)
    at, end = free_place(data)
    for vendor, name, attributes, content in variables:
        text = name.encode("utf-16-le") + b"\0\0"
        entry = VARIABLE.pack(START, ADDED, 0, attributes, 0, SET_AT if attributes & TIMED else b"", 0, len(text),
                              len(content), vendor.bytes_le) + text + content
        entry += b"\xff" * (-len(entry) % 4)
        if at + len(entry) > end:
            raise step.Failure("no room for more UEFI variables", "")
        data[at:at + len(entry)] = entry
        at += len(entry)
    return bytes(data)
