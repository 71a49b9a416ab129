"""A machine by Bochs, which shares no code with QEMU. Only the serial line is there: Bochs exits with 1 whatever happened
inside, and what the scenario wants has to be said over that line."""
import os
import socket
import subprocess

from . import outcome
from .line import Line
from .machine import MissingTool
from .vm import die_with_parent

BIOS = "/usr/share/bochs/BIOS-bochs-latest"
VIDEO_BIOS = "/usr/share/seabios/vgabios-isavga.bin"
CONFIGURATION = """\
display_library: rfb, options="timeout=0"
cpu: model={cpu}, count={cpus}, ips={ips}, reset_on_triple_fault=0
memory: guest=512, host=512
romimage: file={bios}
vgaromimage: file={video_bios}
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path="{iso}", status=inserted
boot: cdrom
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=1, mode=none
clock: sync=none
log: {directory}/bochs.log
panic: action=fatal
error: action=ignore
"""
CONNECT_SECONDS = 20
IPS = 50_000_000  # instructions that make a second of the machine's time


class BochsVm(Line):
    def __init__(self, cpu, cpus, iso, directory, deadline, ips=IPS):
        super().__init__(deadline)
        self.directory = directory
        for file in (BIOS, VIDEO_BIOS):
            if not os.path.exists(file):
                raise MissingTool(file)
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(CONNECT_SECONDS)
            self._start(cpu, cpus, ips, iso, server.getsockname()[1])
            try:
                self.serial, _ = server.accept()
            except TimeoutError as error:
                self.kill()
                raise outcome.Failure(outcome.QEMU_ERROR, "Bochs did not start; see bochs.out") from error

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _start(self, cpu, cpus, ips, iso, port):
        with open(self._path("bochsrc"), "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(cpu=cpu, cpus=cpus, ips=ips, iso=iso, port=port, directory=self.directory,
                                            bios=BIOS, video_bios=VIDEO_BIOS))
        # Debian's Bochs begins in its debugger: "c" lets it go on.
        with open(self._path("continue"), "w", encoding="utf-8") as file:
            file.write("c\n")
        with open(self._path("bochs.out"), "wb") as log:
            self.process = subprocess.Popen(
                ["bochs", "-q", "-f", self._path("bochsrc"), "-rc", self._path("continue")], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=die_with_parent)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.end = self.end or outcome.HANG
        if self.serial:
            self.serial.close()
        with open(self._path("serial.log"), "w", encoding="utf-8") as file:
            file.write(self.serial_text)

    @property
    def debug_output(self):
        return ""

    def _pump(self, deadline):
        if not self._wait_readable([self.serial], deadline):
            return False
        data = self.serial.recv(65536)
        if not data:
            self.end = self.end or outcome.FAIL
        self._take(data)
        return True
