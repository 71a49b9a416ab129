"""The machine descriptions of tools/qemu_command.py, under the harness's roof."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

from qemu_command import EXIT_SUCCESS, Machine, MissingTool, escape, qemu_command  # noqa: E402

__all__ = ["EXIT_SUCCESS", "Machine", "MissingTool", "ROOT", "escape", "qemu_command"]
