# SPDX-License-Identifier: Apache-2.0
"""The test shell of the control partition, on the laptop's second serial port.

It is there only in a boot whose control kernel has the word WORD on its command line."""
import re
import socket
import time

from . import step

WORD = "bulkhead.shell=ttyS1"
UP = r"control: shell on ttyS1"


class Shell:
    """The emulator connects to us, so that the port is free and ours from the first moment."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]  # what the machine takes as com2
        self.socket = None
        self.number = 0
        self.got = ""

    def open(self, timeout=300):
        """Once the serial log has UP. The line becomes fast and silent: answers are output only."""
        self.listener.settimeout(timeout)
        self.socket, _ = self.listener.accept()
        self.run("stty 115200 -echo -onlcr; PS1=; PS2=", timeout)

    def run(self, command, timeout=300):
        """Runs one line of shell; returns (exit status, what it printed)."""
        self.number += 1
        # Quotes keep the mark out of an echo of the line itself.
        self.socket.sendall(f"{command}\ns=$?; echo; echo MA''RK {self.number} $s\n".encode())
        self.got = ""
        end = time.monotonic() + timeout
        while True:
            match = re.search(rf"\r?\nMARK {self.number} (\d+)\r?\n", self.got)
            if match:
                return int(match.group(1)), self.got[:match.start()]
            self.socket.settimeout(max(0.1, end - time.monotonic()))
            try:
                data = self.socket.recv(4096)
            except TimeoutError:
                data = b""
            if not data:
                raise step.Failure(f"the control shell did not answer `{command}` within {timeout:.0f} s",
                                   f"it said: {self.got[-500:]}")
            self.got += data.decode(errors="replace")

    def close(self):
        for one in (self.socket, self.listener):
            if one:
                one.close()
