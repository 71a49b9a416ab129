"""Memory sizes from the smallest promised to beyond the hole below 4 GiB."""
import re

from harness import ALL_BUILDS, Machine, scenario

MIB = 1 << 20
GIB = 1 << 30
PAGE = 4096
COMMAND_LINE = 'keel.panic=exit keel.run="boot; memory; audit; exit"'
# What firmware keeps of a machine's memory: OVMF holds back tens of MiB, SeaBIOS less than one.
FIRMWARE_SHARE = {"direct": 2 * MIB, "bios": 2 * MIB, "uefi": 96 * MIB}
RANGE = re.compile(r"^ +([0-9a-f]{16})-([0-9a-f]{16}) .* usable$", re.MULTILINE)


def memory_scenario(name, machine, size, **options):
    @scenario(name, **options)
    def memory(run):
        """all memory but the firmware's is usable, none of it where there is none, and the audit is clean"""
        with run.boot(machine) as vm:
            vm.wait_end("pass")
        run.check_output(vm.output, [r"^audit: 0 violations"], [r"^error: "])
        ranges = [(int(first, 16), int(last, 16) + 1) for first, last in RANGE.findall(vm.output)]
        usable = sum(end - start for start, end in ranges)
        share = FIRMWARE_SHARE[machine.firmware]
        assert size - share <= usable <= size, f"{usable // 1024} KiB usable of {size // 1024}"
        if size > 3 * GIB:
            assert max(end for _, end in ranges) > 4 * GIB, "nothing above 4 GiB"
            # Devices live below 4 GiB; both boards keep at least the last quarter for them.
            assert all(end <= 3 * GIB or start >= 4 * GIB for start, end in ranges), f"memory in the hole: {ranges}"
        assert all(start % PAGE == 0 and end % PAGE == 0 for start, end in ranges)


for board in ("q35", "pc"):
    for text, size in (("3584M", 3584 * MIB), ("8G", 8 * GIB)):
        memory_scenario(f"memory/{board}-{text.lower()}", Machine(board=board, memory=text, command_line=COMMAND_LINE), size,
                        builds=("release", "debug"))
for text, size in (("16M", 16 * MIB), ("32M", 32 * MIB), ("512M", 512 * MIB)):
    memory_scenario(f"memory/direct-{text.lower()}", Machine(memory=text, command_line=COMMAND_LINE), size,
                    builds=ALL_BUILDS if text != "16M" else ("release",))
memory_scenario("memory/bios-48m", Machine(firmware="bios", memory="48M", command_line=COMMAND_LINE), 48 * MIB)
memory_scenario("memory/bios-8g", Machine(firmware="bios", memory="8G", command_line=COMMAND_LINE), 8 * GIB)
memory_scenario("memory/uefi-8g", Machine(firmware="uefi", memory="8G", command_line=COMMAND_LINE), 8 * GIB, timeout=180)
