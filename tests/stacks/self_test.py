#!/usr/bin/python3 -B
"""Proves that tools/stacks finds what it is there for: a deep call, recursion that nobody has explained, a frame whose size only
a run can tell, the functions that a pointer is given. self_test.py TOOLS-DIRECTORY"""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, sys.argv[1])
import depth  # noqa: E402
import flow  # noqa: E402
import frames  # noqa: E402
from image import Image  # noqa: E402

SOURCE = """
void use(void *);
__attribute__((noinline)) int leaf(int x) { volatile char b[200]; b[x] = 1; return b[0]; }
__attribute__((noinline)) int deep(int x) { volatile char b[3000]; b[x] = 1; return leaf(x) + b[1]; }
int _start(int x) { return x ? deep(x) : leaf(x); }
int dynamic(int n) { char b[n]; use(b); return b[0]; }
void use(void *p) { *(volatile char *)p = 0; }
"""
FLAGS = ["-O2", "-g", "-ffreestanding", "-nostdlib", "-static", "-no-pie", "-fno-stack-protector", "-fcf-protection=none",
         "-mno-red-zone", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", "-w"]


def solve(edges, own, bounds=(), inside=()):
    return depth.Depths(lambda f: own[f], lambda f: edges.get(f, ()), dict(bounds), inside)


def test_depths():
    own = {"a": 10, "b": 20, "c": 300}
    edges = {"a": [("b", 8, ""), ("c", 4, "")], "b": [("c", 16, "")]}
    found = solve(edges, own).deepest("a")
    assert found.bytes == 8 + 16 + 300 and [f for f, _, _ in found.chain] == ["a", "b", "c"]
    edges["c"] = [("a", 50, "")]
    try:
        solve(edges, own).deepest("a")
        assert False, "recursion went unseen"
    except depth.Recursion:
        pass
    assert solve(edges, own, {"a": ("g", 1)}).deepest("a").bytes == 8 + 16 + 300  # the second a returns at once: 50 + 10
    assert solve(edges, own, {"a": ("g", 2)}).deepest("a").bytes == 2 * (8 + 16) + 50 + 300
    edges["b"].append(("d", 8, ""))
    own["d"] = 5000
    assert solve(edges, own, {"a": ("g", 1)}, {("b", "d"): ("g", 1)}).deepest("a").bytes == 8 + 8 + 5000


def test_frames():
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "x.c"), os.path.join(folder, "x")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        subprocess.run(["gcc", *FLAGS, source, "-o", program], check=True)
        image = Image(program, folder)
        own = {name: image.frame(image.address(name)) for name in ("_start", "deep", "leaf", "dynamic")}
        assert 200 <= own["leaf"].deepest <= 300 and 3000 <= own["deep"].deepest <= 3100
        assert own["dynamic"].switches and not own["deep"].switches, "a frame of unknown size went unseen"
        solver = depth.Depths(lambda f: image.frame(f).deepest,
                              lambda f: [(c.target, c.depth, "") for c in image.frame(f).calls.values()], {})
        total = solver.deepest(image.address("_start"))
        assert total.bytes >= 3200, "the planted deep call went unseen"
        assert [image.name(f) for f, _, _ in total.chain] == ["_start", "deep", "leaf"]


def test_sizes():
    """The compiler says how large its frames are; 128 bytes it makes in a way of its own."""
    sizes = range(8, 400, 8)
    text = "".join(f"int size_{n}(int x) {{ volatile char b[{n}]; b[x] = 1; return b[0]; }}\n" for n in sizes)
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "x.c"), os.path.join(folder, "x")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text + "int _start(int x) { return size_8(x); }\n")
        subprocess.run(["gcc", *FLAGS, "-fno-inline", "-fstack-usage", source, "-o", program], check=True, cwd=folder)
        image = Image(program, folder)
        with open(next(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".su")), encoding="utf-8") as file:
            lines = [line.split("\t") for line in file]
        said = {place.split(":")[-1]: int(size) for place, size, _ in lines}
        assert len(said) == len(sizes) + 1
        for name, size in said.items():
            found = image.frame(image.address(name)).deepest
            assert size <= found <= size + 16, f"{name}: {found} bytes, of which the compiler says {size}"


GIVEN = """
struct kind { void (*begin)(void); void (*end)(void); };
static void (*hook)(void);
static void first(void)
{
}
static void second(void)
{
}
static void third(void)
{
}
void set_hook(void (*given)(void))
{
    hook = given;
}
static void use(struct kind *kind, void (*end)(void))
{
    kind->end = end;
    kind->begin();
}
void start(struct kind *kind, int which)
{
    void (*chosen)(void) = which ? first : second;

    set_hook(chosen);
    use(kind, third);
    *kind = (struct kind){.begin = first};
    kind->unknown = table_of(which)[1];
    hook();
}
"""


def test_flow():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "src"))
        with open(os.path.join(folder, "src", "x.c"), "w", encoding="utf-8") as file:
            file.write(GIVEN)
        functions = {"first", "second", "third", "set_hook", "use", "start"}
        known = flow.Flow(folder, lambda name: name in functions, lambda name, path: name in ("first", "second", "third"), {})
        assert {name for name, _ in known.of_member("begin")} == {"first"}
        assert {name for name, _ in known.of_member("end")} == {"third"}, "a parameter was not followed to its callers"
        assert known.of_member("unknown") is None, "what nobody can tell was taken for known"
        line = GIVEN.split("\n").index("    hook();") + 1
        assert {name for name, _ in known.of_variable("src/x.c", line, "hook")} == {"first", "second"}
        known = flow.Flow(folder, lambda name: name in functions, lambda name, path: name == "use", {})
        assert known.of_member("end") is None, "a function that pointers call has callers that nobody sees"


test_depths()
test_frames()
test_sizes()
test_flow()
