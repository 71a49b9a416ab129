"""How a machine's life ended, told apart from QEMU's exit code, its reset log and its monitor's last event.

Under -no-reboot a triple fault, a reset and a power-off all exit with 0; 1 is any QEMU start-up error; isa-debug-exit
gives odd codes. So the order is: still alive, killed by a signal, triple fault in the log, exit code, shutdown reason.
"""
from .machine import EXIT_SUCCESS

PASS = "pass"
FAIL = "fail"
HANG = "hang"
RESET = "reset"
TRIPLE_FAULT = "triple fault"
POWER_OFF = "power off"
QEMU_ERROR = "QEMU error"


class Failure(Exception):
    """A scenario failed. `kind` is one of the words above."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class Skip(Exception):
    """A scenario cannot run here; the message says what is missing."""


def classify(exit_code, cpu_reset_log, shutdown_reason):
    """exit_code is None for a machine that had to be killed; cpu_reset_log is what `-d cpu_reset` wrote."""
    if exit_code is None:
        return HANG
    if exit_code < 0 or exit_code == 1:
        return QEMU_ERROR
    if "Triple fault" in cpu_reset_log:
        return TRIPLE_FAULT
    if exit_code == EXIT_SUCCESS:
        return PASS
    if exit_code == 0:
        return POWER_OFF if shutdown_reason == "guest-shutdown" else RESET
    return FAIL
