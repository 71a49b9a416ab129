"""A screen dump: a binary PPM as QEMU writes it."""


class Picture:
    def __init__(self, path):
        with open(path, "rb") as file:
            magic, size, depth, self.pixels = file.read().split(b"\n", 3)
        assert magic == b"P6" and depth == b"255", "not a screen dump"
        self.width, self.height = map(int, size.split())
        assert len(self.pixels) == self.width * self.height * 3, "a screen dump cut short"

    def colours(self):
        """How many pixels there are of each colour, by (red, green, blue)."""
        counts = {}
        for at in range(0, len(self.pixels), 3):
            colour = self.pixels[at:at + 3]
            counts[colour] = counts.get(colour, 0) + 1
        return {tuple(colour): count for colour, count in counts.items()}

    def check_text_is_visible(self):
        """Some text on one background: most pixels of one colour, and at least a line's worth of others."""
        counts = self.colours()
        background = max(counts, key=counts.get)
        others = sum(counts.values()) - counts[background]
        assert len(counts) >= 2 and others >= 500, f"the screen is blank: {len(counts)} colours, {others} pixels lit"
        assert background == (0, 0, 0) or counts[background] > others, f"no background: {counts}"
