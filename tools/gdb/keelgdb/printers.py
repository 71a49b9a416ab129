"""Pretty printers for the types whose raw fields say little."""
import gdb
import gdb.printing

from . import target


class ListPrinter:
    """struct list: the nodes of the circle, each checked to point back."""

    LIMIT = 200

    def __init__(self, value):
        self.value = value

    def nodes(self):
        head = self.value.address
        node = self.value["next"]
        while head is not None and node != head:
            yield node
            node = node["next"]

    def to_string(self):
        if int(self.value["next"]) == 0:
            return "list, not initialised"
        if int(self.value["next"]) == 0xDEAD000000000100:
            return "list node, removed"
        count, before = 0, self.value.address
        try:
            for node in self.nodes():
                if node["prev"] != before:
                    return f"list, damaged after {count} nodes: {int(node):#x} points back to {int(node['prev']):#x}"
                count, before = count + 1, node
                if count == self.LIMIT:
                    return f"list of {count} nodes or more"
        except gdb.MemoryError:
            return f"list, damaged after {count} nodes"
        return "list, empty" if count == 0 else f"list of {count} node{'' if count == 1 else 's'}"

    def children(self):
        return [("next", self.value["next"]), ("prev", self.value["prev"])]


class SpinlockPrinter:
    """struct spinlock: name, where it was taken, waiters."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        name = self.value["name"].string() if int(self.value["name"]) else "without a name"
        users = -int(self.value["users"]) & 0xFFFFFFFF
        if users == 0:
            return f"spinlock '{name}', free"
        where = target.code_location(int(self.value["acquired_at"]) - 1)
        return f"spinlock '{name}', taken at {where}, {users - 1} waiting"


class PagePrinter:
    """struct page: owner, references, order."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        owner = str(self.value["owner"].cast(gdb.lookup_type("enum page_owner")))
        words = owner.removeprefix("PAGE_").lower().replace("_", " ")
        frame = ""
        if self.value.address is not None:
            offset = int(self.value.address) - target.layout("PAGE_ARRAY_BASE")
            if 0 <= offset < target.layout("PAGE_ARRAY_SIZE"):
                frame = f" frame {offset // self.value.type.sizeof:#x},"
        return f"page,{frame} {words}, order {int(self.value['order'])}, {int(self.value['references'])} references"


class AddressPrinter:
    """paddr_t, vaddr_t, pfn_t: one number in hexadecimal."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"{int(self.value[self.value.type.strip_typedefs().fields()[0].name]):#x}"


ADDRESSES = {"paddr_t", "vaddr_t", "pfn_t"}


def find_address_printer(value):
    return AddressPrinter(value) if value.type.name in ADDRESSES else None


def register():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("keel")
    collection.add_printer("list", "^list$", ListPrinter)
    collection.add_printer("spinlock", "^spinlock$", SpinlockPrinter)
    collection.add_printer("page", "^page$", PagePrinter)
    gdb.printing.register_pretty_printer(None, collection, replace=True)
    gdb.pretty_printers.insert(0, find_address_printer)
