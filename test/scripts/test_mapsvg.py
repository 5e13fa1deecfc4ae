"""The pictures of scripts/mapsvg.py: well-formed, complete, no box over another, no text beyond its box."""

import re
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from scripts_common import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import mapsvg  # noqa: E402  pylint: disable=wrong-import-position,import-error

SPACE = "{http://www.w3.org/2000/svg}"
SIZES = (4096, 3 << 20, 1 << 30, 1 << 44)


def rows(count, text="row"):
    """Some of each size."""
    return tuple(mapsvg.Row(index << 44, SIZES[index % 4], f"{text} {index} <&>", "heap") for index in range(count))


def boxes(svg):
    """(x, y, width, height) of each box but the paper."""
    return [tuple(float(box.get(name)) for name in ("x", "y", "width", "height"))
            for box in svg.iter(SPACE + "rect") if box.get("class") != "paper"]


@pytest.fixture(name="picture")
def _picture():
    ranges = [mapsvg.Range(1 << 63, (1 << 63) + (1 << 40), "Both", "heap", rows(5, "left"), rows(9, "right")),
              mapsvg.Range(1 << 47, 1 << 63, "Nothing", "", (), ()),
              mapsvg.Range(0, 1 << 47, "One", "user", (), (mapsvg.Row(0, 4096, "long " * 30, "user"),))]
    return ElementTree.fromstring(mapsvg.draw_map(ranges, list(rows(21, "memory")), "me & you", "a machine"))


def test_everything_is_said(picture):
    texts = [text.text for text in picture.iter(SPACE + "text")]
    for wanted in ("Kernel context", "User context of me & you", "Both", "Nothing", "One", "left 4 <&>", "right 8 <&>",
                   "memory 20 <&>", "Physical memory (a machine)", "0000000000000000 - 00007fffffffffff   128 TiB"):
        assert wanted in texts, texts
    assert texts.count("not present") == 1, texts


def test_boxes_do_not_overlap(picture):
    found = boxes(picture)
    height = float(picture.get("height"))
    assert len(found) == 5 + 9 + 1 + 1 + 21
    for index, (x, y, width, high) in enumerate(found):
        assert x >= 0 and y >= 0 and x + width <= mapsvg.WIDTH and y + high <= height
        for other_x, other_y, other_width, other_high in found[index + 1:]:
            assert (x + width <= other_x or other_x + other_width <= x or y + high <= other_y
                    or other_y + other_high <= y), (found[index], (other_x, other_y))


def test_long_text_is_squeezed(picture):
    text = next(text for text in picture.iter(SPACE + "text") if text.text.startswith("long"))
    assert float(text.get("x")) + float(text.get("textLength")) <= mapsvg.WIDTH - mapsvg.MARGIN


def test_a_page_can_be_seen_beside_a_terabyte():
    heights = [mapsvg.row_height(size) for size in SIZES]
    assert heights == sorted(set(heights)) and heights[0] >= mapsvg.LINE and heights[-1] < 4 * heights[0]


def test_colours_are_there_in_light_and_dark(picture):
    style = next(picture.iter(SPACE + "style")).text
    light, dark = style.split("prefers-color-scheme: dark")
    used = set(re.findall(r"var\((--\w+)\)", ElementTree.tostring(picture, encoding="unicode")))
    for name in used:
        assert f"{name}:" in light and f"{name}:" in dark, name


def test_boot():
    phases = [("one", 1000, 250), ("two", 3000, 3000), ("three", 0, 0)]
    svg = ElementTree.fromstring(mapsvg.draw_boot(phases, "instructions"))
    widths = [box[2] for box in boxes(svg)]
    assert len(widths) == 5, widths  # two bars with a part in the firmware, one without
    assert widths[2] == pytest.approx(3 * widths[0], abs=0.2) and widths[1] == pytest.approx(widths[0] / 4, abs=0.2)
    texts = [text.text for text in svg.iter(SPACE + "text")]
    assert "3,000 (3,000 in the firmware)" in texts and any("total 4,000" in text for text in texts), texts
