"""Reads the text on a screen dump, with the font the kernel draws with: what is not drawn pixel by pixel is not read."""
import os
import sys

from .machine import ROOT

sys.path.insert(0, os.path.join(ROOT, "tools", "font"))

from pf2_to_c import ASCII, COLUMNS, ROWS, Font  # noqa: E402

FONTS = ("/usr/share/grub/unicode.pf2", "/usr/share/grub2/unicode.pf2")


def glyphs():
    """Characters by their sixteen rows."""
    path = next(path for path in FONTS if os.path.exists(path))
    with open(path, "rb") as file:
        font = Font(file.read())
    return {tuple(font.rows(character)): chr(character) for character in ASCII}


class ScreenText:
    """lines: the rows of the text, blanks at their ends taken off; unknown: cells that show no ASCII character."""

    def __init__(self, picture, scale=1):
        self.picture, self.scale = picture, scale
        self.glyphs = glyphs()
        self.unknown = 0
        self.colours = set()  # of the text
        rows = picture.height // (ROWS * scale)
        self.lines = [self.read_row(row) for row in range(rows)]

    def read_row(self, row):
        columns = self.picture.width // (COLUMNS * self.scale)
        return "".join(self.read_cell(column, row) for column in range(columns)).rstrip()

    def cell_lines(self, column, row):
        """The cell's lines of pixels, three bytes a pixel, one pixel for scale * scale."""
        width = COLUMNS * self.scale * 3
        for y in range(ROWS):
            at = ((row * ROWS + y) * self.scale * self.picture.width + column * COLUMNS * self.scale) * 3
            line = self.picture.pixels[at:at + width]
            yield line if self.scale == 1 else b"".join(line[x:x + 3] for x in range(0, width, 3 * self.scale))

    def read_cell(self, column, row):
        lines = list(self.cell_lines(column, row))
        first = lines[0][:3]
        if lines.count(first * COLUMNS) == ROWS:
            return " "
        colours = {line[x:x + 3] for line in lines for x in range(0, COLUMNS * 3, 3)}
        for ink in colours if len(colours) == 2 else ():
            bits = tuple(sum(0x80 >> x for x in range(COLUMNS) if line[3 * x:3 * x + 3] == ink) for line in lines)
            if bits in self.glyphs:
                self.colours.add(tuple(ink))
                return self.glyphs[bits]
        self.unknown += 1
        return "\ufffd"

    @property
    def text(self):
        return "\n".join(self.lines)
