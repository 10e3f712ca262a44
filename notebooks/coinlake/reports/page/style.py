"""The house style: colours of both themes, and the look that all charts share.

The colours start from Okabe and Ito's set, which people of every colour vision can tell apart.
A figure always holds the light colours; `dark` swaps them one for one, here and in the page's script.
"""

import json
from copy import deepcopy
from typing import Any

# name: (light, dark)
COLOURS = {
    "ink": ("#1b1f24", "#e9edf2"),
    "soft": ("#57606a", "#a4afba"),
    "grid": ("#e3e6ea", "#2c343d"),
    "mute": ("#aab2bb", "#66717d"),
    "paper": ("#ffffff", "#14181d"),
    "blue": ("#0072b2", "#5cb6f0"),
    "orange": ("#d55e00", "#ff9752"),
    "rust": ("#b24a00", "#ff9c5c"),  # orange for words: 4.5 against the paper, where lines need 3
    "green": ("#00692f", "#35cf9f"),
    "pink": ("#a8518a", "#e59aca"),
    "gold": ("#9a6a00", "#f0c64a"),
    "sky": ("#2b86c5", "#8fd0ff"),
}
INK, SOFT, GRID, MUTE, PAPER, BLUE, ORANGE, RUST, GREEN, PINK, GOLD, SKY = (light for light, _ in COLOURS.values())
UP, DOWN = BLUE, ORANGE

TO_DARK = dict(COLOURS.values())

# A colour for words on the paper, where a line's own is too light for reading.
WORDS = {ORANGE: RUST, MUTE: SOFT}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
FONT_SIZE = 13
PHONE_FONT_SIZE = 11.5

# Calendar marks: the year stands once, on a second line. Without hoverformat, plotly shows these on hover too.
DAY_AXIS = {
    "type": "date",
    "hoverformat": "%-d %b %Y",
    "tickformatstops": [
        {"dtickrange": [None, "M1"], "value": "%-d %b\n%Y"},
        {"dtickrange": ["M1", "M12"], "value": "%b\n%Y"},
        {"dtickrange": ["M12", None], "value": "%Y"},
    ],
}


def layout(**changes: Any) -> dict[str, Any]:
    """The layout that all charts share, with the changes of one chart merged in, however deep."""
    axis = {
        "gridcolor": GRID,
        "linecolor": GRID,
        "zeroline": False,
        "tickfont": {"color": SOFT},
        "title": {"font": {"color": SOFT, "size": 12}, "standoff": 8},
        "fixedrange": True,
        "automargin": True,
    }
    shared = {
        "font": {"family": FONT, "size": FONT_SIZE, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "margin": {"l": 56, "r": 64, "t": 12, "b": 44},
        "height": 380,
        "showlegend": False,
        "hovermode": "x unified",
        "dragmode": False,
        "hoverlabel": {
            "bgcolor": PAPER,
            "bordercolor": MUTE,
            "font": {"color": INK, "size": 12, "family": FONT},
        },
        "separators": ".,",
        "bargap": 0.25,
        "xaxis": {**axis, "showgrid": False, "ticks": "", "showline": True},
        "yaxis": {**axis, "showgrid": True},
    }
    # A second panel starts from the same look as the first.
    for name in changes:
        if name[:5] in {"xaxis", "yaxis"}:
            shared.setdefault(name, deepcopy(shared[name[:5]]))
    return merged(shared, changes)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Two nested dictionaries as one; where both have a value, that of `changes`."""
    result = deepcopy(base)
    for name, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(name), dict)
        result[name] = merged(result[name], value) if both else deepcopy(value)
    return result


def differing(value: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """What `merged(base, …)` needs to give `value`; every key of the base must be in it."""
    return {
        name: differing(own, base[name]) if isinstance(own, dict) and isinstance(base.get(name), dict) else own
        for name, own in value.items()
        if name not in base or own != base[name]
    }


def dark(figure: dict[str, Any]) -> dict[str, Any]:
    """The same figure in the colours of the dark theme."""
    text = json.dumps(figure)
    for light, replacement in TO_DARK.items():
        text = text.replace(f'"{light}"', f'"{replacement}"')
    return json.loads(text)
