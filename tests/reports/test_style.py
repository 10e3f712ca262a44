"""Colours that everybody can read and tell apart, in both themes."""

import itertools

import pytest

from coinlake.reports.page import style

LINES = ("blue", "orange", "green", "pink", "ink")
# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
VISIONS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
CARD = ("#f6f8fa", "#1c222a")
MIX = (0.60, 0.42)


def linear(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one, other):
    """WCAG 2.2 contrast ratio."""
    light = sorted(
        sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear(c), strict=True)) for c in (one, other)
    )
    return (light[1] + 0.05) / (light[0] + 0.05)


def lab(colour, vision):
    seen = [sum(w * part for w, part in zip(row, linear(colour), strict=True)) for row in VISIONS[vision]]
    r, g, b = (min(1.0, max(0.0, part)) for part in seen)
    x, y, z = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047, 0.2126 * r + 0.7152 * g + 0.0722 * b, 0.0
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def distance(one, other, vision):
    """CIE76 difference of two colours as someone with this vision sees them."""
    return sum((a - b) ** 2 for a, b in zip(lab(one, vision), lab(other, vision), strict=True)) ** 0.5


def mixed(colour, paper, share):
    parts = [
        round(share * int(colour[i : i + 2], 16) + (1 - share) * int(paper[i : i + 2], 16)) for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_and_lines_stand_out_from_the_paper(theme):
    colours = {name: pair[theme] for name, pair in style.COLOURS.items()}
    for name in ("ink", "soft", "blue", "rust", "green", "pink", "gold"):
        assert contrast(colours[name], colours["paper"]) >= 4.5, name
    for name in ("ink", "soft", "blue", "rust"):
        assert contrast(colours[name], CARD[theme]) >= 4.5, f"{name} on a card"
    for name in LINES:
        assert contrast(colours[name], colours["paper"]) >= 3, name
    for name in ("blue", "orange"):
        full = mixed(colours[name], colours["paper"], MIX[theme])
        assert contrast(colours["ink"], full) >= 4.5, f"ink on the strongest {name} of a heat table"


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_every_vision_tells_the_colours_apart(theme, vision):
    colours = {name: pair[theme] for name, pair in style.COLOURS.items()}
    assert distance(colours["blue"], colours["orange"], vision) > 40
    for one, other in itertools.combinations(LINES, 2):
        assert distance(colours[one], colours[other], vision) > 12, (one, other)


def test_dark_swaps_colours_and_nothing_else():
    figure = {"data": [{"line": {"color": style.BLUE}, "y": [1, None]}], "layout": {"title": "0072b2 #0072b2!"}}
    assert style.dark(figure) == {
        "data": [{"line": {"color": "#5cb6f0"}, "y": [1, None]}],
        "layout": {"title": "0072b2 #0072b2!"},
    }


def test_merging_goes_deep_and_leaves_its_inputs_alone():
    base = {"margin": {"l": 1, "r": 2}, "height": 3}
    assert style.merged(base, {"margin": {"r": 4}}) == {"margin": {"l": 1, "r": 4}, "height": 3}
    assert base == {"margin": {"l": 1, "r": 2}, "height": 3}
    assert style.layout(yaxis2={"range": [0, 1]})["yaxis2"]["gridcolor"] == style.GRID


def test_every_line_that_has_a_name_stands_out_from_the_paper(reports):
    for report in reports.values():
        for section in report.sections.values():
            for trace in (section.figure or {"data": []})["data"]:
                if trace["type"] == "scatter" and trace["mode"] == "lines" and trace["name"]:
                    light = trace["line"]["color"]
                    for colour, paper in (
                        (light, style.PAPER),
                        (style.TO_DARK[light], style.TO_DARK[style.PAPER]),
                    ):
                        assert contrast(colour, paper) >= 3, (section.key, trace["name"])
