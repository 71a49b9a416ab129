#!/usr/bin/python3
"""Checks one Promela model with spin, in every state it can reach: check.py MODEL FOLDER. With --from, --to and --expect
it checks a mutant instead: the model with the one place --from replaced, in which spin has to find the error --expect.
FOLDER gets what spin generates. Exit code 77 where spin is not installed."""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
DEPTH_MAX = 1000000  # steps of the longest execution; reaching it is an error, not a result
SECONDS_MAX = 60  # for one tool: a hang detector
ERROR = re.compile(r"^pan:\d+: (.*) \(at depth \d+\)", re.MULTILINE)


def run(folder, *command):
    return subprocess.run(command, cwd=folder, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS_MAX)


def run_or_exit(folder, *command):
    result = run(folder, *command)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}\n{result.stdout}")


def mutate(text, old, new):
    """text with new for old, which has to be there exactly once: a mutant cannot quietly become the model."""
    if text.count(old) != 1:
        sys.exit(f"mutant: '{old}' is in the model {text.count(old)} times, not once")
    return text.replace(old, new)


def search(folder, text):
    """Spin's report on all reachable states of the model, and its first error, or None."""
    (folder / "model.pml").write_text(text)
    run_or_exit(folder, "spin", "-a", "model.pml")
    run_or_exit(folder, "cc", "-O0", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c")
    report = run(folder, "./pan", f"-m{DEPTH_MAX}").stdout
    if "errors:" not in report or "too small" in report:
        sys.exit(f"the search did not end:\n{report}")
    error = ERROR.search(report)
    if not error and ("errors: 0" not in report or "not completed" in report):
        sys.exit(f"neither an error nor a complete search:\n{report}")
    return report, error and error[1]


def check_mutant(error, expected):
    if error is None:
        sys.exit("spin finds nothing wrong with this mutant")
    if not re.search(expected, error):
        sys.exit(f"spin finds '{error}' in this mutant, not '{expected}'")
    print(f"found: {error}")


def check_model(folder, report, error):
    if error:
        trail = run(folder, "spin", "-t", "-p", "-g", "model.pml").stdout
        sys.exit(f"{trail[-6000:]}\nspin finds: {error}")
    print(report)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--from", dest="old")
    parser.add_argument("--to", dest="new")
    parser.add_argument("--expect")
    arguments = parser.parse_args()
    if not shutil.which("spin"):
        print("spin is not installed (tools/packages names the packages)")
        sys.exit(SKIPPED)
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    for include in arguments.model.parent.glob("*.pml"):
        shutil.copy(include, folder)
    text = arguments.model.read_text()
    if arguments.old is None:
        check_model(folder, *search(folder, text))
    else:
        check_mutant(search(folder, mutate(text, arguments.old, arguments.new))[1], arguments.expect)


main()
