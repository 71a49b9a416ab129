#!/usr/bin/python3
"""What a user can type is written down: kernel command line options are in the table of boot/command_line_options.c, in
docs/command-line.md and in use, all three alike, and the page has the table's defaults; prompt commands are in docs/prompt.md."""
import re

import source_tree

TABLE = "boot/command_line_options.c"
OPTIONS_PAGE = "docs/command-line.md"
COMMANDS_PAGE = "docs/prompt.md"
ENTRY = re.compile(r'^    \{"([a-z_.-]+)",', re.MULTILINE)
DEFAULT = re.compile(r'^    \{"([a-z_.-]+)",.*\(default: (\d+)', re.MULTILINE)
USE = re.compile(r'(?:"(keel\.[a-z_-]+)"|\bcommand_line_get\([^;]*?, "([a-z_.-]+)")')
DOCUMENTED_OPTION = re.compile(r"^\|\s*`([a-z_.-]+)", re.MULTILINE)
COMMAND = re.compile(r"\bCOMMAND\(\w+,\s*\.name = \"(\w+)\"")
DOCUMENTED_COMMAND = re.compile(r"^\|\s*`(\w+)", re.MULTILINE)
FOLDERS = {"src", "mm", "boot", "drivers"}


def page(root, path):
    return source_tree.read(root, path) if (root / path).exists() else ""


def check(root):
    used, commands = {}, {}
    for path in source_tree.files(root, {".c"}, FOLDERS):
        text = source_tree.read(root, path)
        commands.update({name: path for name in COMMAND.findall(text)})
        if path != TABLE:
            used.update({own or plain: path for own, plain in USE.findall(text)})
    table = set(ENTRY.findall(source_tree.read(root, TABLE)))
    options = set(DOCUMENTED_OPTION.findall(page(root, OPTIONS_PAGE)))
    documented = set(DOCUMENTED_COMMAND.findall(page(root, COMMANDS_PAGE)))
    problems = [f"{used[name]}: {name} is not in {TABLE}" for name in sorted(set(used) - table)]
    problems += [f"{TABLE}: {name} is used nowhere" for name in sorted(table - set(used))]
    problems += [f"{OPTIONS_PAGE}: has no row for {name}" for name in sorted(table - options)]
    problems += [f"{OPTIONS_PAGE}: {name} does not exist" for name in sorted(options - table)]
    problems += [f"{OPTIONS_PAGE}: {name} has another default than {number}"
                 for name, number in DEFAULT.findall(source_tree.read(root, TABLE))
                 if not re.search(rf"^\|\s*`{re.escape(name)}=.*\b{number} by default", page(root, OPTIONS_PAGE), re.MULTILINE)]
    problems += [f"{commands[name]}: command `{name}` has no row in {COMMANDS_PAGE}"
                 for name in sorted(set(commands) - documented)]
    problems += [f"{COMMANDS_PAGE}: command `{name}` does not exist" for name in sorted(documented - set(commands))]
    return problems


if __name__ == "__main__":
    source_tree.report(check(source_tree.root_argument()), "options and commands against their pages")
