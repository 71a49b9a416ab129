"""keel slabs: every slab cache, with what is in use (mm/slab_internal.h)."""
import gdb

from . import target


def entries(head, type_name, member):
    """The objects of a struct list whose links are their field `member`."""
    item_type = gdb.lookup_type(type_name)
    offset = next(field.bitpos // 8 for field in item_type.fields() if field.name == member)
    node, end = head["next"], head.address
    while int(node) and node != end:
        yield gdb.Value(int(node) - offset).cast(item_type.pointer()).dereference()
        node = node["next"]


def caches():
    """[(name, object size, slabs, objects in use, objects)]; those in CPUs' magazines are not in use."""
    for cache in entries(target.variable("slab_caches", "mm/slab_cache.c"), "struct slab_cache", "link"):
        taken = sum(int(page["in_use"]) for name in ("partial", "full")
                    for page in entries(cache[name], "struct page", "link"))
        cached = sum(int(magazine["slot"]["count"])
                     for magazine in entries(cache["magazines"], "struct magazine", "link"))
        slabs = int(cache["nr_slabs"])
        yield (cache["name"].string(), int(cache["requested_size"]), slabs, taken - cached,
               slabs * int(cache["objects_per_slab"]))


class Slabs(target.Command):
    """keel slabs: name, object size, objects in use and slabs of every slab cache."""

    name = "slabs"

    def run(self, arguments):
        print(f"{'cache':24} {'size':>6} {'in use':>8} {'objects':>8} {'slabs':>6}")
        for name, size, slabs, in_use, objects in caches():
            print(f"{name:24} {size:>6} {in_use:>8} {objects:>8} {slabs:>6}")


def register():
    Slabs()
