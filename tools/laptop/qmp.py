# SPDX-License-Identifier: Apache-2.0
"""QEMU's machine protocol: JSON objects, one a line, over a connected socket that QEMU inherits.

Source: QEMU, "QEMU Machine Protocol Specification" and "QEMU QMP Reference Manual"."""
import json
import socket

from . import step


class Qmp:
    """`far` goes to QEMU; close it here once QEMU has it."""

    def __init__(self):
        self.near, self.far = socket.socketpair()
        self.lines = self.near.makefile("r")
        self.ready = False

    def _line(self, timeout):
        self.near.settimeout(timeout)
        try:
            text = self.lines.readline()
        except (TimeoutError, ConnectionError):
            text = ""
        if not text:
            raise step.Failure("QEMU does not answer on its monitor", "see out.txt beside serial.out")
        return json.loads(text)

    def run(self, command, timeout=120, **arguments):
        """What QEMU returns for one command; events that come in between are dropped."""
        if not self.ready:
            self._line(timeout)  # its greeting
            self.ready = True
            self.run("qmp_capabilities", timeout)
        try:
            self.near.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        except OSError as error:
            raise step.Failure(f"QEMU takes no command: {error.strerror}", "see out.txt beside serial.out") from None
        while True:
            answer = self._line(timeout)
            if "error" in answer:
                raise step.Failure(f"QEMU refuses {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def close(self):
        self.lines.close()
        self.near.close()
        self.far.close()
