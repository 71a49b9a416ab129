#!/usr/bin/python3 -B
"""tools/symbolise over a fault report of the kernel that was just built: it agrees with the report's own lines, and refuses another
build's report.

test_symbolise.py TOOLS_DIR BUILD_DIR
"""
import os
import re
import subprocess
import sys
import unittest

TOOLS, BUILD = sys.argv[1:3]
COMMAND_LINE = 'keel.panic=exit keel.loglevel=error keel.run="fault null_write"'


def fault_report():
    return subprocess.run([os.path.join(TOOLS, "qemu"), "--build", BUILD, "--command-line", COMMAND_LINE],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=60).stdout


def symbolise(text):
    return subprocess.run([os.path.join(TOOLS, "symbolise"), "--kernel", os.path.join(BUILD, "keel.elf")], input=text,
                          capture_output=True, text=True)


class Symbolise(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.report = fault_report()

    def test_agrees_with_the_kernels_own_lines(self):
        lines = symbolise(self.report).stdout.splitlines()
        compared = 0
        for line, answer in zip(lines, lines[1:]):
            own = re.match(r"(?:rip:| ?) ?0x(ffffffff[0-9a-f]{8}) (\w\S*)\+0x[0-9a-f]+ \((\S+)\)$", line.rstrip())
            if own is None:
                continue
            compared += 1
            self.assertIn(f"0x{own.group(1)} is in ", answer)
            if ":0" not in own.group(3):
                self.assertIn(own.group(3), answer)
        self.assertGreater(compared, 5, self.report)

    def test_reads_a_report_that_is_in_the_log(self):
        """the same answers: what is a return address is told by the line's beginning, behind the time and the mark"""
        answers = [line for line in symbolise(self.report).stdout.splitlines() if line.startswith("        0xffffffff")]
        for colour, end in (("", ""), ("\033[33m", "\033[0m")):
            logged = "".join(f"[    1.000000] {colour}| {line}{end}\n" for line in self.report.splitlines())
            lines = symbolise(logged).stdout.splitlines()
            self.assertEqual([line for line in lines if line.startswith("        0xffffffff")], answers)

    def test_keeps_the_text(self):
        lines = symbolise(self.report).stdout.splitlines()
        self.assertEqual([line for line in lines if not line.startswith("        0xffffffff")], self.report.splitlines())

    def test_refuses_another_build(self):
        other = re.sub(r"(build id: )[0-9a-f]{40}", r"\g<1>" + "5" * 40, self.report)
        self.assertNotEqual(other, self.report)
        result = symbolise(other)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("5" * 40, result.stderr)


unittest.main(argv=sys.argv[:1])
