#!/usr/bin/python3 -B
"""tools/symbols over the kernel that was just built: the same table twice; every kind of move is found; what is no kernel is refused.

test_tools.py SYMBOLS_TOOL FIRST_LINK FINAL_LINK
"""
import os
import struct
import subprocess
import sys
import tempfile
import unittest

TOOL, FIRST, FINAL = sys.argv[1:4]
sys.path.insert(0, os.path.dirname(TOOL))
import elf  # noqa: E402


def run(*arguments):
    return subprocess.run([sys.executable, "-B", TOOL, *arguments], capture_output=True, text=True)


class Tools(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def generate(self, kernel, out):
        return run("generate", kernel, self.path(out), "--source-root", "/source", "--binary-root", "/binary")

    def patched(self, change):
        """FINAL with change(bytearray) done to it."""
        with open(FINAL, "rb") as file:
            data = bytearray(file.read())
        change(data)
        with open(self.path("patched"), "wb") as file:
            file.write(data)
        return self.path("patched")

    def test_same_input_gives_same_table(self):
        for out in ("a", "b"):
            self.assertEqual(self.generate(FIRST, out).returncode, 0)
        with open(self.path("a"), "rb") as a, open(self.path("b"), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_table_of_the_final_link_is_the_same(self):
        """So the lines, too, did not move."""
        for kernel in (FIRST, FINAL):
            self.assertEqual(self.generate(kernel, os.path.basename(kernel)).returncode, 0)
        with open(self.path(os.path.basename(FIRST)), "rb") as a, open(self.path(os.path.basename(FINAL)), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_unmoved_links_pass(self):
        self.assertEqual(run("check", FIRST, FINAL).returncode, 0)

    def test_moved_symbol_is_found(self):
        table = elf.Elf(FINAL).section(".symtab")
        image = elf.Elf(FINAL)
        number = next(i for i, s in enumerate(image.symbols) if s.name == "kernel_main")
        at = table.offset + number * 24 + 8

        result = run("check", FIRST, self.patched(
            lambda data: struct.pack_into("<Q", data, at, struct.unpack_from("<Q", data, at)[0] + 1)))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("kernel_main", result.stderr)

    def test_moved_section_is_found(self):
        with open(FINAL, "rb") as file:
            headers = struct.unpack_from("<Q", file.read(64), 40)[0]
        number = next(i for i, s in enumerate(elf.Elf(FINAL).sections) if s.name == ".text")
        at = headers + number * 64 + 32  # sh_size

        result = run("check", FIRST, self.patched(
            lambda data: struct.pack_into("<Q", data, at, struct.unpack_from("<Q", data, at)[0] + 16)))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(".text", result.stderr)

    def test_what_is_no_kernel_is_refused(self):
        self.assertNotEqual(self.generate("/dev/null", "out").returncode, 0)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_kernel_without_lines_is_refused(self):
        subprocess.run(["objcopy", "--strip-debug", FINAL, self.path("stripped")], check=True)
        result = self.generate(self.path("stripped"), "out")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("-g", result.stderr)


unittest.main(argv=sys.argv[:1])
