"""Read the text off a screen, by comparing its cells with the glyphs of the console font."""

from __future__ import annotations

import gzip
import struct
import time
from pathlib import Path

from machine import LIMIT, Machine

FONT = Path("/usr/share/consolefonts/Lat15-VGA16.psf.gz")
WIDTH = 8


def load_font(path: Path = FONT) -> tuple[int, dict[bytes, str]]:
    """Return the height of a cell, and the character that each bitmap shows (PSF 1 and 2)."""
    data = gzip.decompress(path.read_bytes())
    if data[:2] == b"\x36\x04":
        start, height, count = 4, data[3], 512 if data[2] & 1 else 256
    else:
        _, _, start, _, count, _, height, _ = struct.unpack_from("<8I", data)
    bitmaps = [data[start + i * height:start + (i + 1) * height] for i in range(count)]
    table = data[start + count * height:]
    glyphs: dict[bytes, str] = {}
    if data[:2] == b"\x36\x04":
        units = iter(struct.unpack(f"<{len(table) // 2}H", table[:len(table) & ~1]))
        for bitmap in bitmaps:
            for unit in iter(lambda: next(units), 0xFFFF):
                if unit != 0xFFFE and 32 <= unit < 127:
                    glyphs[bitmap] = chr(unit)
    else:
        for bitmap, entry in zip(bitmaps, table.split(b"\xff")):
            for character in entry.split(b"\xfe")[0].decode():
                if 32 <= ord(character) < 127:
                    glyphs[bitmap] = character
    return height, glyphs


def _cells(width: int, height: int, pixels: bytes, cell: int, scale: int) -> list[list[tuple[bytes, ...]]]:
    """Return rows of cells, each a tuple of its scan lines' RGB bytes; of enlarged pixels one each is taken."""
    step = WIDTH * scale * 3
    lines = [pixels[y * width * 3:(y + 1) * width * 3] for y in range(0, height, scale)]
    rows = []
    for top in range(0, len(lines) - cell + 1, cell):
        row = []
        for left in range(0, width * 3 - step + 1, step):
            row.append(tuple(line[left:left + step] for line in lines[top:top + cell]))
        rows.append(row)
    return rows


def read_text(image: tuple[int, int, bytes]) -> str:
    """Return the screen's text. A character that the font does not have is U+FFFD; a cell has two colours at most."""
    cell, glyphs = load_font()
    best = None
    for scale in (1, 2, 3):
        known: dict[tuple[bytes, ...], str] = {}
        text = []
        for row in _cells(*image, cell, scale):
            for lines in row:
                if lines not in known:
                    known[lines] = _recognise(lines, glyphs, scale)
            text.append("".join(known[lines] for lines in row).rstrip())
        candidate = "\n".join(text).rstrip()
        if best is None or sum(c.isalnum() for c in candidate) > sum(c.isalnum() for c in best):
            best = candidate
    return best or ""


def _recognise(lines: tuple[bytes, ...], glyphs: dict[bytes, str], scale: int) -> str:
    colours = sorted({line[i:i + 3] for line in lines for i in range(0, len(line), 3)})
    if len(colours) == 1:
        return " "
    if len(colours) > 2:
        return "\ufffd"
    for ink in colours:
        bitmap = bytes(sum((line[x * 3 * scale:x * 3 * scale + 3] == ink) << 7 - x for x in range(WIDTH))
                       for line in lines)
        if bitmap in glyphs:
            return glyphs[bitmap]
    return "\ufffd"


def wait_for_text(machine: Machine, text: str, limit: float = LIMIT) -> str:
    """Look at the screen again and again until it shows `text`; return all that it shows."""
    deadline = time.monotonic() + limit
    while True:
        seen = read_text(machine.screendump())
        if text in seen:
            return seen
        if time.monotonic() > deadline:
            raise machine.failure(f"the screen did not show {text!r}; it shows:\n{seen}")
        if machine.process is None or machine.process.poll() is not None:
            raise machine.failure(f"QEMU ended before the screen showed {text!r}")
        time.sleep(0.2)


def wait_for_rows(machine: Machine, rows: dict[int, str], limit: float = LIMIT) -> str:
    """Look until these rows, counted from 0 and from the end if negative, read so; return all that it shows."""
    deadline = time.monotonic() + limit
    cell, _ = load_font()
    while True:
        image = machine.screendump()
        seen = read_text(image)
        lines = seen.splitlines()
        lines += [""] * (image[1] // cell - len(lines))
        wrong = {row: lines[row] for row, text in rows.items() if lines[row] != text}
        if not wrong:
            return seen
        if time.monotonic() > deadline:
            wanted = {row: rows[row] for row in wrong}
            raise machine.failure(f"the screen did not show {wanted}, but {wrong}; it shows:\n{seen}")
        if machine.process is None or machine.process.poll() is not None:
            raise machine.failure(f"QEMU ended before the screen showed {rows}")
        time.sleep(0.2)


def paper(image: tuple[int, int, bytes], row: int, column: int) -> tuple[int, ...]:
    """Return the background of a cell of a screen that is not enlarged: no ASCII glyph has ink in its corner."""
    cell, _ = load_font()
    at = (row * cell * image[0] + column * WIDTH) * 3
    return tuple(image[2][at:at + 3])


def cursor_cells(image: tuple[int, int, bytes]) -> list[tuple[int, int]]:
    """Return the cells (row, column) whose background is not the screen's usual one: the cursor, and reversed text."""
    cell, _ = load_font()
    usual = paper(image, image[1] // cell - 1, image[0] // WIDTH - 1)
    return [(row, column) for row in range(image[1] // cell) for column in range(image[0] // WIDTH)
            if paper(image, row, column) != usual]
