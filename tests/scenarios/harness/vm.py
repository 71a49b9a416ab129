"""One QEMU: its serial line, its monitor and its end.

The serial line and the monitor are socket pairs handed to QEMU as file descriptors, so machines running at the same time
never meet and nothing is left behind. QEMU dies with the runner (PR_SET_PDEATHSIG), and `with` kills it on every path.
"""
import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

from . import outcome
from .line import Line, plain
from .machine import MissingTool, escape, qemu_command

PR_SET_PDEATHSIG = 1
RFLAGS_IF = 1 << 9
STARVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "starve.py")


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Vm(Line):
    def __init__(self, machine, build, directory, deadline, kernel=None, iso=None, inherit=(), beside=()):
        """deadline is in time.monotonic() seconds. directory gets serial.log, debug.log, cpu_reset.log, qemu.log and
        command (to be pasted into a shell). `beside`: the scenario's machines, this one or not."""
        super().__init__(deadline)
        self.machine = machine
        self.beside = beside
        self.directory = directory
        self.end_checked = False
        self.starver = None
        self.shutdown_reason = None
        self.qmp_text = b""
        self.qmp_sent = 0
        self.qmp_replies = {}  # by the id they answer
        os.makedirs(directory, exist_ok=True)
        self._start(qemu_command(machine, build, kernel, iso), inherit)

    # Life

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _start(self, command, inherit):
        for log in ("serial.log", "debug.log", "cpu_reset.log", "qemu.log", "command"):
            open(self._path(log), "w", encoding="utf-8").close()
        with open(self._path("command"), "w", encoding="utf-8") as file:
            file.write(shlex.join(command + ["-display", "none", "-serial", "stdio"]) + "\n")
        if not shutil.which(command[0]):
            raise MissingTool(command[0])
        self.serial, serial_guest = socket.socketpair()
        self.qmp_socket, qmp_guest = socket.socketpair()
        command = command + [
            "-display", "none", "-d", "cpu_reset", "-D", self._path("cpu_reset.log"),
            "-chardev", f"socket,id=qmp,fd={qmp_guest.fileno()}", "-mon", "chardev=qmp,mode=control",
            "-chardev", f"file,id=debug,path={escape(self._path('debug.log'))}",
            "-device", "isa-debugcon,iobase=0xe9,chardev=debug"]
        if self.machine.serial:
            command += ["-chardev", f"socket,id=com1,fd={serial_guest.fileno()},logfile={escape(self._path('serial.log'))}"
                                    + (",mux=on" if self.machine.serial_break else "")]
            command += (["-device", self.machine.serial_device + ",chardev=com1"] if self.machine.serial_device
                        else ["-serial", "chardev:com1"])
        with open(self._path("qemu.log"), "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
                pass_fds=[end.fileno() for end in (serial_guest, qmp_guest, *inherit)])
        for end in (serial_guest, qmp_guest, *inherit):
            end.close()
        if os.environ.get("KEEL_STARVE"):
            self.starver = subprocess.Popen([sys.executable, STARVE, str(self.process.pid), os.environ["KEEL_STARVE"]],
                                            preexec_fn=die_with_parent)
        self._send_qmp("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.kill()
        if kind is None and self.end != outcome.HANG and not self.end_checked:
            self._require(outcome.PASS)

    def kill(self):
        """Ends QEMU if it still runs. Safe to call twice."""
        if self.process.poll() is None and self.end is None:
            self.end = outcome.HANG  # ended by us, not by itself
            self.process.kill()
        self.process.wait()
        if self.starver:
            self.starver.wait()
        if self.end is None:
            self._ended()
        self.serial.close()
        self.qmp_socket.close()

    def _ended(self):
        code = self.process.wait()
        self._drain()
        with open(self._path("cpu_reset.log"), encoding="utf-8", errors="replace") as file:
            self.end = outcome.classify(code, file.read(), self.shutdown_reason)

    # What comes in

    def _receive(self, source):
        """Reads what there is. False at the end of the stream."""
        try:
            data = source.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        if source is self.serial:
            self._take(data)
        else:
            self._receive_qmp(data)
        return bool(data)

    def _receive_qmp(self, data):
        self.qmp_text += data
        *lines, self.qmp_text = self.qmp_text.split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            message = json.loads(line)
            if message.get("event") == "SHUTDOWN":
                self.shutdown_reason = message["data"]["reason"]
            elif "id" in message:
                self.qmp_replies[message["id"]] = message

    def _drain(self):
        for source in (self.serial, self.qmp_socket):
            before = -1
            while self._receive(source) and before != len(self.serial_text) + len(self.qmp_text):
                before = len(self.serial_text) + len(self.qmp_text)

    def _pump(self, deadline):
        """Waits for something to happen and takes it in. False when nothing did until the deadline. The machines that run
        beside this one are listened to as well: one that nobody listens to stands still once its line is full."""
        sources = {source: vm for vm in {*self.beside, self} if vm.end is None for source in (vm.serial, vm.qmp_socket)}
        ready = self._wait_readable(list(sources), deadline)
        for source in ready:
            vm = sources[source]
            if not vm._receive(source) and vm.end is None:
                vm._ended()
        return bool(ready)

    # What goes in

    def send_break(self):
        """A BREAK on the serial line of a Machine(serial_break=True)."""
        assert self.machine.serial_break
        self.send("\x01b")  # QEMU's escape

    # What is seen of it

    @property
    def debug_output(self):
        """All that was written to the debug port 0xe9 so far, plain."""
        with open(self._path("debug.log"), encoding="utf-8", errors="replace") as file:
            return plain(file.read())

    # The end

    def _require(self, expected):
        self.end_checked = True
        if self.end == expected:
            return
        detail = f"expected {expected}"
        if self.end == outcome.FAIL:
            detail += f", exit code {self.process.returncode}"
        if self.end == outcome.QEMU_ERROR:
            with open(self._path("qemu.log"), encoding="utf-8", errors="replace") as file:
                detail += f", exit code {self.process.returncode}: {file.read().strip()[-500:]}"
        raise outcome.Failure(self.end, detail)

    def wait_end(self, expected=outcome.PASS, timeout=None):
        """Waits until QEMU ends and wants that end: pass, fail, reset, triple fault, power off."""
        deadline = self._deadline(timeout)
        while self.end is None:
            if not self._pump(deadline):
                self.kill()
        self._require(expected)

    # The monitor

    def _send_qmp(self, command, **arguments):
        self.qmp_sent += 1
        message = {"execute": command, "arguments": arguments, "id": self.qmp_sent}
        self.qmp_socket.sendall(json.dumps(message).encode() + b"\n")
        return self.qmp_sent

    def qmp(self, command, **arguments):
        """Runs a QMP command, returns its result."""
        number = self._send_qmp(command, **arguments)
        while number not in self.qmp_replies:
            if self.end is not None:
                raise outcome.Failure(self.end, f"the machine ended during the monitor's {command}")
            if not self._pump(self.deadline):
                raise outcome.Failure(outcome.HANG, f"QEMU's monitor does not answer {command}")
        reply = self.qmp_replies.pop(number)
        if "error" in reply:
            raise outcome.Failure(outcome.FAIL, f"monitor: {command}: {reply['error']['desc']}")
        return reply["return"]

    def monitor(self, line):
        """Runs a line of the human monitor ("nmi", "info registers"), returns what it printed."""
        return self.qmp("human-monitor-command", **{"command-line": line})

    def screendump(self, name="screen.ppm"):
        """Writes the screen into the scenario's directory, returns the path (a binary PPM)."""
        path = self._path(name)
        self.qmp("screendump", filename=path)
        return path

    def wait_halted(self, timeout=None):
        """Waits until CPU 0 is in HLT with interrupts off: stopped for good, without a reset."""
        deadline = self._deadline(timeout)
        while True:
            registers = self.monitor("info registers")
            flags = re.search(r"[ER]FL=([0-9a-f]+)", registers)
            if "HLT=1" in registers and flags and not int(flags.group(1), 16) & RFLAGS_IF:
                return
            pause = time.monotonic() + 0.05
            if pause > deadline:
                raise outcome.Failure(outcome.HANG, "the CPU did not halt with interrupts off")
            self._pump(pause)
