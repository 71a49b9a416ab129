"""A small client of QEMU's gdb stub, for scenarios that change a register or memory at a given instruction. It speaks over
a socket pair, so that no port is needed: gdb itself cannot, and is not needed either.

Protocol: the GDB manual's appendix "GDB Remote Serial Protocol".
"""
import socket

from . import outcome

RBX = 1  # QEMU numbers and sizes the registers as in 64-bit mode, whatever mode the CPU is in


class GdbStub:
    def __init__(self, deadline_seconds):
        self.socket, self.guest = socket.socketpair()
        self.socket.settimeout(deadline_seconds)

    def arguments(self):
        """QEMU arguments: the machine waits for go(). The descriptor has to be inherited (Vm's pass_fds)."""
        return ("-chardev", f"socket,id=gdb,fd={self.guest.fileno()}", "-gdb", "chardev:gdb", "-S")

    def _receive(self):
        """The next packet's contents, acknowledged."""
        data = b""
        while True:
            try:
                byte = self.socket.recv(1)
            except TimeoutError as error:
                raise outcome.Failure(outcome.HANG, "QEMU's gdb stub does not answer") from error
            if not byte:
                raise outcome.Failure(outcome.QEMU_ERROR, "QEMU's gdb stub has gone")
            data += byte
            start = data.find(b"$")
            if start >= 0 and data[-3:-2] == b"#":
                self.socket.sendall(b"+")
                return data[start + 1:-3].decode()

    def _send(self, text):
        self.socket.sendall(f"${text}#{sum(text.encode()) & 0xff:02x}".encode())

    def request(self, text):
        self._send(text)
        answer = self._receive()
        if not answer or answer.startswith("E"):
            raise outcome.Failure(outcome.FAIL, f"the gdb stub answers '{answer}' to {text}")
        return answer

    def run_to(self, address):
        """Lets the machine run until this instruction is about to be executed."""
        self.request("qXfer:features:read:target.xml:0,fff")  # single registers are served to who knows their layout
        self.request(f"Z1,{address:x},1")
        self.request("c")
        self.request(f"z1,{address:x},1")

    def read_memory(self, address, length):
        return bytes.fromhex(self.request(f"m{address:x},{length:x}"))

    def write_memory(self, address, data):
        self.request(f"M{address:x},{len(data):x}:{data.hex()}")

    def read_ebx(self):
        return int.from_bytes(bytes.fromhex(self.request(f"p{RBX:x}")), "little")

    def write_ebx(self, value):
        self.request(f"P{RBX:x}={value.to_bytes(8, 'little').hex()}")

    def go(self):
        """Lets the machine run on, for good."""
        self._send("c")
