"""A serial line to a machine, whatever makes the machine: what it says and what is typed at it."""
import codecs
import re
import select
import time

from . import outcome

PROMPT = "keel> "
CUT_OFF = r"\x1b(?:\[[0-9;?]*)?\Z"  # a sequence whose rest is still on the line
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|" + CUT_OFF)


def plain(text):
    """Text without ANSI sequences and carriage returns."""
    return ANSI.sub("", text).replace("\r", "")


class Line:
    """Subclasses have `serial`, a socket, and _pump(deadline), which waits for something to happen, gives what came to
    _take(), sets `end` when the machine has ended, and returns False when nothing happened until the deadline."""

    def __init__(self, deadline):
        self.deadline = deadline  # time.monotonic() seconds; no wait goes beyond it
        self.serial = None
        self.serial_text = ""     # all that came over the line
        self.output = ""          # the same, plain
        self.cut_off = ""         # the beginning of a sequence, not in `output` yet
        self.serial_decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.position = 0         # up to where expect() has read, in `output`
        self.end = None           # one of outcome's words, once the machine has ended

    def _pump(self, deadline):
        raise NotImplementedError

    def _take(self, data):
        """Adds bytes from the line to what is known."""
        text = self.serial_decoder.decode(data)
        self.serial_text += text
        text = self.cut_off + text
        self.cut_off = "".join(re.findall(CUT_OFF, text))
        self.output += plain(text)

    @staticmethod
    def _wait_readable(sockets, deadline):
        """Those that can be read, none at the deadline."""
        return select.select(sockets, [], [], max(0, deadline - time.monotonic()))[0]

    def _deadline(self, timeout):
        return self.deadline if timeout is None else min(self.deadline, time.monotonic() + timeout)

    def send(self, text):
        self.serial.sendall(text.encode())

    def expect(self, pattern, timeout=None):
        """Waits until the regular expression matches what came after the last match (ANSI colours removed, no carriage
        returns). Returns the match. `timeout` in seconds, never later than the scenario's."""
        expression = re.compile(pattern, re.MULTILINE)
        deadline = self._deadline(timeout)
        while True:
            match = expression.search(self.output, self.position)
            if match:
                self.position = match.end()
                return match
            if self.end is not None:
                raise outcome.Failure(self.end, f"the machine ended ({self.end}) before '{pattern}' came")
            if not self._pump(deadline):
                raise outcome.Failure(outcome.HANG, f"'{pattern}' did not come")

    def wait_prompt(self, timeout=None):
        self.expect(re.escape(PROMPT), timeout)

    def command(self, line, timeout=None):
        """Types a command at the prompt, waits for the next prompt, returns what was printed between."""
        start = self.position
        self.send(line + "\r")
        self.wait_prompt(timeout)
        text = self.output[start:self.position - len(PROMPT)]
        return text.split("\n", 1)[1] if "\n" in text else text

    def exit(self, timeout=None):
        """Types exit and wants QEMU to end with the success code."""
        self.send("exit\r")
        self.wait_end(outcome.PASS, timeout)
