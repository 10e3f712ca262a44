"""Charts without a script: every place is worked out by hand."""

from markupsafe import Markup

from coinlake.reports.page import charts, plain_charts, style


def test_bars_stand_one_after_the_other_between_the_ends_of_their_axis():
    figure = {
        "data": [
            {
                "type": "bar",
                "base": [0, 4],
                "x": [4, 1],
                "y": ["one", "a &lt; b"],
                "text": ["4 s", "<1 s"],
                "marker": {"color": [style.BLUE, style.ORANGE]},
                "customdata": ["succeeded", "failed"],
                "name": "",
            }
        ],
        "layout": {"xaxis": {"range": [0, 8], "title": {"text": "seconds"}}, "yaxis": {"type": "category"}},
    }
    grid = "".join(f'<i class="grid" style="left:{left}%"></i>' for left in (0.0, 25.0, 50.0, 75.0, 100.0))
    ticks = "".join(
        f'<span class="tick" style="left:{left}%">{text}</span>'
        for left, text in ((0.0, 0), (25.0, 2), (50.0, 4), (75.0, 6), (100.0, 8))
    )
    assert plain_charts.drawn(figure) == Markup(
        f'<div class="row"><b>one</b><span class="track">{grid}'
        '<i class="amount" style="left:0.0%;width:50.0%;background:var(--blue)" title="4 succeeded"></i>'
        '<span class="text" style="left:50.0%">4 s</span></span></div>\n'
        f'<div class="row"><b>a &lt; b</b><span class="track">{grid}'
        '<i class="amount" style="left:50.0%;width:12.5%;background:var(--orange)" title="1 failed"></i>'
        '<span class="text" style="left:62.5%">&lt;1 s</span></span></div>\n'
        f'<div class="row axis"><b></b><span class="track">{ticks}</span></div>\n'
        '<div class="row axis"><b></b><span class="title">seconds</span></div>'
    )


def test_bars_of_several_traces_are_stacked_and_points_stand_on_a_log_axis():
    def bars(name, value):
        return {"type": "bar", "x": [value], "y": ["r"], "name": name, "marker": {"color": style.BLUE}}

    points = {
        "type": "scatter",
        "x": [100],
        "y": ["r"],
        "name": "read",
        "marker": {"color": style.MUTE, "symbol": "diamond"},
    }
    stacked = {
        "data": [bars("out", 1), bars("in", 3)],
        "layout": {"xaxis": {"range": [0, 8], "title": {"text": ""}}, "yaxis": {"type": "category"}},
    }
    log = {
        "data": [points],
        "layout": {
            "xaxis": {"range": [0, 4], "type": "log", "title": {"text": ""}},
            "yaxis": {"type": "category"},
        },
    }
    for place in ('left:0.0%;width:12.5%;background:var(--blue)" title="1 out"', "left:12.5%;width:37.5%"):
        assert place in plain_charts.drawn(stacked)
    found = plain_charts.drawn(log)
    assert '<i class="point diamond" style="left:50.0%;color:var(--mute)" title="100 read"></i>' in found
    assert [f">{text}</span>" in found for text in ("1", "10", "100", "1,000", "10K", "100K")] == [True] * 5 + [
        False
    ]


def test_lines_reach_from_edge_to_edge_and_words_stand_where_their_points_are():
    figure = {
        "data": [
            {"x": ["2026-08-01", "2026-08-03"], "y": [0, 10], "fill": "tozeroy", "line": {"color": style.BLUE}},
            {"x": ["2026-08-03"], "y": [10], "line": {"color": style.INK, "dash": "dot"}},
        ],
        "layout": {
            "xaxis": {"range": ["2026-08-01", "2026-08-05"]},
            "yaxis": {"range": [0, 20], "title": {"text": "credits"}},
            "shapes": [charts.level(15, style.ORANGE)],
            "annotations": [
                {"text": "<b>10</b>", "x": "2026-08-05", "y": 10, "font": {"color": style.INK}},
                {"text": "line", "x": 0, "xref": "paper", "y": 15, "font": {"color": style.RUST}},
            ],
        },
    }
    found = plain_charts.drawn(figure)
    for piece in (
        '<path class="area" style="fill:var(--blue)" d="M0 100L0 100L50 50L50 100Z"/>',
        '<path class="line" style="stroke:var(--blue)" d="M0 100L50 50"/>',
        '<path class="dotted" style="stroke:var(--ink)" d="M50 50h0"/>',
        '<path class="dashed" style="stroke:var(--orange)" d="M0 25H100"/>',
        '<span class="text ends" style="left:100.0%;top:50.0%;color:var(--ink)"><b>10</b></span>',
        '<span class="text" style="left:0%;top:25.0%;color:var(--rust)">line</span>',
        '<span class="mark" style="top:50.0%">10</span>',
        '<span class="tick" style="left:50.0%">3 Aug</span>',
    ):
        assert piece in found


def test_points_stand_between_two_axes_and_some_have_their_name_beside_them():
    figure = {
        "data": [{"x": [0.2, 0.8], "y": [-0.1, 0.3], "text": ["A", "B"], "marker": {"color": style.BLUE}}],
        "layout": {
            "xaxis": {"range": [0, 1], "title": {"text": "volatility"}},
            "yaxis": {"range": [-0.1, 0.4], "title": {"text": "change"}},
            "annotations": [{"text": "<b>B</b>", "x": 0.8, "y": 0.3}],
        },
    }
    found = plain_charts.drawn(figure)
    for piece in (
        '<i class="point" style="left:20.0%;top:100.0%;color:var(--blue)" title="A: −10%, 20%"></i>',
        '<i class="point" style="left:80.0%;top:20.0%;color:var(--blue)" title="B: +30%, 80%"></i>',
        '<span class="text ends" style="left:80.0%;top:20.0%"><b>B</b></span>',
        '<i class="grid-up" style="left:40.0%"></i><span class="tick" style="left:40.0%">40%</span>',
        '<i class="grid-across" style="top:80.0%"></i><span class="mark" style="top:80.0%">0%</span>',
        '<p class="title">change</p>',
        '<p class="title below">volatility</p>',
    ):
        assert piece in found
