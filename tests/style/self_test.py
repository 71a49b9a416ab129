#!/usr/bin/python3
"""Every style test can fail: each is given a small tree that is right, then the same tree with one thing wrong, which it must
find and name."""
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent

GOOD = {
    "include/base/types.h": "/* Types. */\n#pragma once\n\n#include <stdint.h>\n",
    "include/lib/list.h": "/* Lists. */\n#pragma once\n\n#include <base/types.h>\n\nuint32_t list_length(void);\n",
    "include/debug/log.h": "/* The log. */\n#pragma once\n\n#include <lib/list.h>\n",
    "include/drivers/serial.h": "/* A driver. */\n#pragma once\n",
    "include/sync/spinlock.h": "/* Spinlocks. */\n#pragma once\n",
    "include/sync/mutex.h": "/* Mutexes. */\n#pragma once\n\n#include <sync/spinlock.h>\n",
    "src/lib/list.c": '#include <lib/list.h>\n\n#include "list_private.h"\n',
    "src/lib/list_private.h": "/* Private to lib. */\n#pragma once\n",
    "src/debug/log.c": "#include <debug/log.h>\n#include <sync/spinlock.h>\n",
    "src/main.c": "#include <debug/log.h>\n#include <drivers/serial.h>\n",
    "drivers/serial.c": "#include <drivers/serial.h>\n#include <lib/list.h>\n",
    "tests/kernel/list.c": "#include <debug/log.h>\n#include <lib/list.h>\n",
    "tests/style/layers.txt": (HERE / "layers.txt").read_text().split("\nallow ")[0] + "\n",
    "tests/style/long_files.txt": "# None.\n",
    "boot/command_line_options.c": 'static const struct x options[] = {\n    {"keel.run", "x", "y (default: 10)"},\n};\n',
    "src/prompt/run.c": 'static const char *const key = "keel.run";\nCOMMAND(help, .name = "help");\n',
    "docs/command-line.md": "| option | meaning |\n|---|---|\n| `keel.run=` | runs; 10 by default |\n",
    "docs/prompt.md": "| command | meaning |\n|---|---|\n| `help` | helps |\n",
    "mm/x.c": 'static struct spinlock lock = SPINLOCK_INITIALIZER("x");\n',
    "docs/locking.md": "| rank | lock |\n|---|---|\n| 7 | `x` (`mm/x.c`) |\n",
    "src/sync/lockdep_ranks.c": '#include <lib/list.h>\nstatic const struct rank ranks[] = {\n    {7, "x"},\n};\n',
    ".clang-format": (HERE.parents[1] / ".clang-format").read_text(),
}


@contextlib.contextmanager
def tree(changes):
    """A folder that holds the good tree with these files added, or left out where the text is None."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in {**GOOD, **changes}.items():
            if text is not None:
                (pathlib.Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (pathlib.Path(folder) / path).write_text(text)
        yield folder


def run(test, changes):
    """(exit code, output) of one style test on the changed tree."""
    with tree(changes) as folder:
        arguments = ["gcc", "-std=gnu17", "-Wall", "-Werror"] if test == "headers" else []
        result = subprocess.run([sys.executable, str(HERE / f"{test}.py"), folder, *arguments], capture_output=True,
                                text=True)
        return result.returncode, result.stdout + result.stderr


class StyleTests(unittest.TestCase):
    def require(self, test, changes, message):
        code, output = run(test, changes)
        self.assertEqual(code, 1, f"{test} did not fail: {output}")
        self.assertIn(message, output)

    def test_the_good_tree_passes(self):
        for test in ("layers", "headers", "format", "names", "documented", "length", "layouts", "locking", "statics"):
            with self.subTest(test=test):
                code, output = run(test, {})
                self.assertEqual(code, 0, output)

    def test_layers_upward(self):
        self.require("layers", {"src/lib/list.c": "#include <debug/log.h>\n"}, "lib may not use debug")

    def test_layers_neighbour(self):
        self.require("layers", {"include/cpu/io.h": "#include <boot/info.h>\n", "include/boot/info.h": ""},
                     "cpu may not use boot")

    def test_layers_parts_of_sync(self):
        self.require("layers", {"src/debug/log.c": "#include <sync/mutex.h>\n"}, "debug may not use sync,")
        self.require("layers", {"include/sync/spinlock.h": "#include <sync/mutex.h>\n"}, "sync/spinlock may not use sync,")

    def test_layers_circle(self):
        # Needs an exception: the layers alone forbid every circle.
        layers = GOOD["tests/style/layers.txt"] + "allow include/lib/list.h -> include/debug/log.h  to try it\n"
        self.require("layers", {"include/lib/list.h": "#include <debug/log.h>\n", "tests/style/layers.txt": layers},
                     "circle of modules: debug -> lib -> debug")

    def test_layers_driver_header(self):
        self.require("layers", {"src/prompt/x.c": "#include <drivers/serial.h>\n"}, "only src/main.c may include")

    def test_layers_private_header(self):
        self.require("layers", {"src/debug/log.c": '#include "../lib/list_private.h"\n'}, "a private header of lib")

    def test_layers_foreign_header(self):
        self.require("layers", {"src/lib/list.c": "#include <stdio.h>\n"}, "includes stdio.h, which is not in this tree")

    def test_layers_unknown_module(self):
        self.require("layers", {"src/nowhere/x.c": ""}, "src/nowhere/x.c: belongs to no module")

    def test_layers_stale_exception(self):
        layers = GOOD["tests/style/layers.txt"] + "allow src/lib/list.c -> include/debug/log.h  not needed\n"
        self.require("layers", {"tests/style/layers.txt": layers}, "is not needed")

    def test_headers_not_self_contained(self):
        self.require("headers", {"include/lib/list.h": "/* Lists. */\n#pragma once\n\nuint32_t list_length(void);\n"},
                     "not self-contained: include/lib/list.h:4")

    def test_headers_once(self):
        self.require("headers", {"include/drivers/serial.h": "/* A driver. */\n"}, "`#pragma once`")

    def test_headers_say_what_they_are(self):
        self.require("headers", {"include/drivers/serial.h": "#pragma once\n"}, "says what it is")

    def test_format_clang_format(self):
        self.require("format", {"src/lib/x.c": "int  x;\n"}, "src/lib/x.c:1: is not formatted")

    def test_format_text(self):
        self.require("format", {"docs/x.md": "a \n"}, "docs/x.md:1: blank at the end")
        self.require("format", {"docs/x.md": "a"}, "does not end with a newline")
        self.require("format", {"boot/x.asm": "\tret\n"}, "boot/x.asm:1: tab")

    def test_names_of_files(self):
        self.require("names", {"src/lib/Upper.c": ""}, "'Upper.c' is not lower_snake")
        self.require("names", {"src/lib/with-dash.c": ""}, "is not lower_snake")
        self.require("names", {"src/utils/x.c": ""}, "'utils' says nothing")
        self.require("names", {"src/lib/common.c": ""}, "'common.c' says nothing")

    def test_names_words(self):
        self.require("names", {"docs/x.md": "TO" + "DO: more\n"}, "work left for later")
        self.require("names", {"cmake/x.cmake": "set(x /ho" + "me/somebody/x)\n"}, "somebody's machine")

    def test_names_preprocessor(self):
        self.require("names", {"src/lib/x.c": "int f(void)\n{\n#if X\n#endif\n}\n"}, "condition inside a function")
        self.require("names", {"src/lib/x.c": "extern int f(void);\n"}, "extern prototype")

    def test_locking(self):
        self.require("locking", {"mm/y.c": 'spinlock_init(&y->lock, "y");\n'}, "mm/y.c: the lock 'y' has no row")
        self.require("locking", {"mm/x.c": ""}, "there is no lock 'x'")
        self.require("locking", {"docs/locking.md": "| 6 | `x` |\n| 7 | `x` |\n"}, "'x' has more than one row")
        self.require("locking", {"docs/locking.md": "| 8 | `x` |\n"}, "'x' has 7 rank, in docs/locking.md it is 8")
        self.require("locking", {"src/sync/lockdep_ranks.c": ""}, "'x' has no rank")

    def test_statics(self):
        for good in ("static int x; /* [a] */\n", "/* [x lock] */\nstatic struct y x = {\n    1,\n};\n", "static const int x = 1;\n",
                     "static READ_ONLY_AFTER_INIT int x;\n", "static struct timer x;\n", "static int f(int a);\nstruct z {\n    int b;\n};\n",
                     "int *const x = y; /* other */\nint f(void)\n{\n    static int b; /* [c] */\n    int c;\n}\n"):
            self.assertEqual(run("statics", {"mm/y.c": good})[0], 0, good)
        for bad in ("static int x;\n", "int y; /* [a] */\nint x;\n", "static const char *x; /* other */\n", "static void (*x)(int a);\n",
                    "int f(void)\n{\n    static int x;\n}\n", "static PER_CPU struct y x = {1, 2};\n",
                    "static struct {\n    int b; /* other */\n} x;\n", "static int y, x = 3;\n"):
            self.require("statics", {"mm/y.c": bad}, "nothing says what protects 'x'")
        page = GOOD["docs/locking.md"] + "\n## Variables\n\n| `mm/y.c` | `x` |\n"
        self.assertEqual(run("statics", {"mm/y.c": "int x;\n", "docs/locking.md": page})[0], 0)
        self.require("statics", {"docs/locking.md": page}, "there is no variable 'x' in mm/y.c")

    def test_documented_options(self):
        self.require("documented", {"src/lib/x.c": '"keel.new"\n'}, "keel.new is not in boot/command_line_options.c")
        self.require("documented", {"src/prompt/run.c": 'COMMAND(help, .name = "help");\n'}, "keel.run is used nowhere")
        self.require("documented", {"docs/command-line.md": ""}, "has no row for keel.run")
        wrong = GOOD["docs/command-line.md"].replace("10 by", "110 by")
        self.require("documented", {"docs/command-line.md": wrong}, "keel.run has another default than 10")

    def test_documented_commands(self):
        self.require("documented", {"src/lib/x.c": 'COMMAND(x, .name = "x");\n'}, "command `x` has no row")
        self.require("documented", {"docs/prompt.md": GOOD["docs/prompt.md"] + "| `old` | - |\n"}, "`old` does not exist")

    def test_layouts(self):
        struct, size = "struct y {\n    reg32 a;\n    const reg16 b, c[2];\n    reg16 reserved_a;\n};\n", "sizeof(struct y) == 12"
        proofs = [f"static_assert({proof}, \"\");\n" for proof in (size, *(f"offsetof(struct y, {f}) == 0" for f in "abc"))]
        good = {"include/hw/y.h": struct + "".join(proofs)}
        self.assertEqual(run("layouts", good)[0], 0)
        for proof in proofs:
            self.require("layouts", {"include/hw/y.h": struct + "".join(proofs).replace(proof, "")}, "struct y has no static_assert")
        self.require("layouts", {"include/hw/y.h": "struct y {\n    uint32_t a;\n    uint16_t b[];\n};\n"}, "for its size")

    def test_length(self):
        self.require("length", {"src/lib/x.c": "\n" * 601}, "src/lib/x.c: 601 lines")
        self.require("length", {"tests/style/long_files.txt": "src/lib/list.c it is long\n"}, "is not that long")


if __name__ == "__main__":
    unittest.main()
