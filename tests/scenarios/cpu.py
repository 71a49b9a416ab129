"""CPU models, CPUs that lack one feature each, and those that lack one that Keel cannot do without."""
from harness import Machine, Picture, boot_scenario, scenario

MODELS = ("qemu64", "kvm64", "core2duo", "Opteron_G1", "Nehalem", "Haswell", "EPYC", "EPYC-Milan", "Icelake-Server", "max")
DISPENSABLE = ("pdpe1gb", "smep", "smap", "umip", "rdrand", "rdtscp", "fsgsbase", "xsave", "avx", "erms", "pge", "mtrr",
               "pat", "clflush", "arat", "monitor", "pse", "la57", "pku", "popcnt", "cx16", "hypervisor", "mce", "mca")
VARIANTS = ("phys-bits=36", "phys-bits=40", "vendor=AuthenticAMD")
COMMANDS = "cpu; boot; memory; audit"
REACHED = ["stage 10 of 10", r"^Protection: NX on", "^audit: 0 violations$"]

for model in MODELS:
    boot_scenario(f"cpu/{model.lower()}", Machine(cpu=model), commands=COMMANDS, expect=REACHED)
for feature in DISPENSABLE:
    boot_scenario(f"cpu/max-without-{feature}", Machine(cpu=f"max,-{feature}"), commands=COMMANDS, expect=REACHED)
for variant in VARIANTS:
    boot_scenario(f"cpu/max-{variant.lower()}", Machine(cpu=f"max,{variant}"), commands=COMMANDS, expect=REACHED)

# Each of these protections must be on where the CPU has it.
boot_scenario("cpu/max-protections", Machine(cpu="max"), commands=COMMANDS,
              expect=[r"^Protection: NX on +WP on +SMEP on +SMAP on +UMIP on"])


def vga_text(run, vm):
    """What stands in VGA's text memory."""
    path = run.path("vga.bin")
    vm.qmp("pmemsave", val=0xb8000, size=80 * 25 * 2, filename=path)
    with open(path, "rb") as file:
        return file.read()[::2].decode("ascii", errors="replace")


def refusal_scenario(name, cpu, words):
    """A CPU that cannot run Keel: the words on serial, on the debug port, on the screen and as a POST code; then a halt."""
    machine = Machine(cpu=cpu, extra=("-chardev", "file,id=post,path=@POST@",
                                      "-device", "isa-debugcon,iobase=0x80,chardev=post"))

    @scenario(f"early/{name}-direct", builds=("release", "debug"))
    def refused_direct(run):
        """a CPU that cannot run Keel is told so in words, on every way out, and the machine halts"""
        with run.boot(run.with_files(machine)) as vm:
            vm.expect(words)
            vm.wait_halted()
            run.check_output(vm.debug_output, [words])
            # Without blanks: where the screen ends a line is not the point.
            run.check_output("".join(vga_text(run, vm).split()), ["".join(words.split())])
            with open(run.path("POST"), "rb") as file:
                assert file.read()[-1] >= 0xe0, "no POST code of an early failure"

    @scenario(f"early/{name}-bios")
    def refused_bios(run):
        """the same through GRUB, where the words are drawn into the framebuffer"""
        with run.boot(Machine(cpu=cpu, firmware="bios", command_line="keel.panic=exit")) as vm:
            vm.expect(words)
            vm.wait_halted()
            Picture(vm.screendump()).check_text_is_visible()


refusal_scenario("no-long-mode", "max,-lm", "long mode")
refusal_scenario("no-nx", "max,-nx", "NX")
refusal_scenario("no-64-bit-model", "qemu32", "long mode")
