"""A Power BI project over the views of the warehouse: a semantic model in TMDL and three report pages in PBIR.

Source: Microsoft's documentation of Power BI projects, of TMDL, and of the enhanced report format.
"""

import json
import uuid
from typing import Any

from coinlake.reports.page import style
from coinlake_ops.bi.views import View, ViewColumn, view

NAME = "coinlake"
VIEWS = (
    *("calendar", "coin", "currency", "coin_day", "coin_month", "coin_now", "coin_event", "market_day"),
    *("run", "table_now"),
)
KEYS = {"calendar": "date", "coin": "coin_id", "currency": "vs_currency"}
# The table that time intelligence goes by: its key is marked as the date.
DATE_TABLE = "calendar"
# What is shown until a reader chooses.
CURRENCY = "usd"
# Many to one: table and column -> table and column.
RELATIONSHIPS = (
    ("coin_day", "coin_id", "coin", "coin_id"),
    ("coin_day", "date", "calendar", "date"),
    ("coin_month", "coin_id", "coin", "coin_id"),
    ("coin_month", "month", "calendar", "date"),
    ("coin_now", "coin_id", "coin", "coin_id"),
    ("coin_event", "coin_id", "coin", "coin_id"),
    ("coin_event", "date", "calendar", "date"),
    ("market_day", "date", "calendar", "date"),
    ("run", "date", "calendar", "date"),
    *(
        (table, "vs_currency", "currency", "vs_currency")
        for table in ("coin_day", "coin_month", "coin_now", "coin_event")
    ),
    ("market_day", "vs_currency", "currency", "vs_currency"),
)
# table -> (name, DAX, format, meaning)
MEASURES = {
    "coin_day": (
        (
            "Last close",
            "CALCULATE ( MAX ( coin_day[close] ), LASTDATE ( 'calendar'[date] ) )",
            "#,0.00",
            "close of the last day in the selection, in the selected currency; choose one coin",
        ),
        (
            "Mean daily return",
            "AVERAGE ( coin_day[return_1d] )",
            "0.00%",
            "mean 1-day return of the selected coins and days",
        ),
        ("Worst drawdown", "MIN ( coin_day[drawdown] )", "0.0%", "deepest fall below the highest close so far"),
    ),
    "market_day": (
        (
            "Tracked market cap",
            "SUM ( market_day[tracked_market_cap] )",
            "#,0",
            "sum of the closing market caps; choose one currency and one day",
        ),
        (
            "Median coin",
            "AVERAGE ( market_day[median_index] )",
            "0.0",
            "the median coin, first day = 100; coins that come or go do not move it",
        ),
        (
            "Share above 50-day average",
            "AVERAGE ( market_day[share_above_average_50d] )",
            "0%",
            "fraction of the coins that close above their 50-day average",
        ),
        ("Fear and greed", "AVERAGE ( market_day[fear_greed_value] )", "0", "Fear & Greed Index, 0 to 100"),
    ),
    "run": (
        ("Runs", "COUNTROWS ( run )", "#,0", "runs of the pipeline"),
        (
            "Failed runs",
            'CALCULATE ( COUNTROWS ( run ), run[status] IN { "failed", "interrupted", "incomplete" } )',
            "#,0",
            "runs that failed, were interrupted, or lack a step",
        ),
        (
            "Minutes of a run",
            "AVERAGE ( run[seconds] ) / 60",
            "#,0.0",
            "mean from the first start to the last end",
        ),
    ),
    "table_now": (
        (
            "Late tables",
            "SUMX ( table_now, IF ( DATEDIFF ( table_now[as_of], UTCNOW (), MINUTE ) "
            "> 60 * table_now[sla_hours], 1, 0 ) )",
            "#,0",
            "tables whose newest row is older than promised",
        ),
        (
            "Hours old",
            "DATEDIFF ( MAX ( table_now[as_of] ), UTCNOW (), MINUTE ) / 60",
            "#,0.0",
            "hours since the newest row, as of the last refresh",
        ),
    ),
}
TYPES = {
    "STRING": "string",
    "DOUBLE": "double",
    "INT": "int64",
    "BIGINT": "int64",
    "BOOLEAN": "boolean",
    "DATE": "dateTime",
    "TIMESTAMP": "dateTime",
}
FORMATS = {"DATE": "yyyy-mm-dd", "TIMESTAMP": "yyyy-mm-dd hh:nn:ss"}
# x, y, width and height on a page of 1280 × 720: a strip of choices, and four visuals below it.
Place = tuple[int, int, int, int]
TOP_LEFT, TOP_RIGHT = (0, 80, 640, 320), (640, 80, 640, 320)
BOTTOM_LEFT, BOTTOM_RIGHT = (0, 400, 640, 320), (640, 400, 640, 320)
THEME = "coinlake.json"
SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"
_TAGS = uuid.uuid5(uuid.NAMESPACE_URL, "coinlake/powerbi")


def files(server: str, database: str) -> dict[str, str]:
    """Path below the folder of the project -> content; it reads the database on the server, a host name."""
    views = [view(name) for name in VIEWS]
    model, report = f"{NAME}.SemanticModel", f"{NAME}.Report"
    definition = f"{model}/definition"
    return {
        f"{NAME}.pbip": _json(
            f"{SCHEMAS}/pbip/pbipProperties/1.0.0/schema.json",
            version="1.0",
            artifacts=[{"report": {"path": report}}],
            settings={"enableAutoRecovery": True},
        ),
        f"{model}/.platform": _platform("SemanticModel"),
        f"{model}/definition.pbism": _json(
            f"{SCHEMAS}/item/semanticModel/definitionProperties/1.0.0/schema.json", version="4.2", settings={}
        ),
        f"{definition}/database.tmdl": "database\n\tcompatibilityLevel: 1601\n",
        f"{definition}/model.tmdl": _model(),
        f"{definition}/expressions.tmdl": _expressions(server, database),
        f"{definition}/relationships.tmdl": "\n".join(_relationship(*one) for one in RELATIONSHIPS),
        **{f"{definition}/tables/{one.name}.tmdl": table(one) for one in views},
        f"{report}/.platform": _platform("Report"),
        f"{report}/definition.pbir": _json(
            f"{SCHEMAS}/item/report/definitionProperties/1.0.0/schema.json",
            version="4.0",
            datasetReference={"byPath": {"path": f"../{model}"}},
        ),
        **{f"{report}/{path}": text for path, text in _report().items()},
    }


def table(described: View) -> str:
    """One table of the model in TMDL: columns, measures, and the query that fills it."""
    lines = [f"/// {described.comment}", f"table {described.name}", f"\tlineageTag: {_tag(described.name)}"]
    if described.name == DATE_TABLE:
        lines.append("\tdataCategory: Time")
    lines.append("")
    for name, formula, format_, meaning in MEASURES.get(described.name, ()):
        lines += [
            f"\t/// {meaning}",
            f"\tmeasure '{name}' = {formula}",
            f"\t\tformatString: {format_}",
            f"\t\tlineageTag: {_tag(described.name, name)}",
            "",
        ]
    for column in described.columns:
        lines += [*_column(described.name, column), ""]
    lines += [
        f"\tpartition {described.name} = m",
        "\t\tmode: import",
        "\t\tsource =",
        "\t\t\t\tlet",
        "\t\t\t\t\tSource = Sql.Database(Server, Database),",
        f'\t\t\t\t\tData = Source{{[Schema = "reporting", Item = "{described.name}"]}}[Data]',
        "\t\t\t\tin",
        "\t\t\t\t\tData",
        "",
    ]
    return "\n".join(lines)


def _column(owner: str, column: ViewColumn) -> list[str]:
    lines = [f"\t/// {column.comment}", f"\tcolumn {column.name}", f"\t\tdataType: {TYPES[column.type]}"]
    if KEYS.get(owner) == column.name:
        lines.append("\t\tisKey")
    if column.type in FORMATS:
        lines.append(f"\t\tformatString: {FORMATS[column.type]}")
    # A sum of prices or shares means nothing: what can be added up is a measure.
    return [
        *lines,
        f"\t\tlineageTag: {_tag(owner, column.name)}",
        "\t\tsummarizeBy: none",
        f"\t\tsourceColumn: {column.name}",
    ]


def _model() -> str:
    references = "\n".join(f"ref table {name}" for name in VIEWS)
    return (
        "model Model\n\tculture: en-US\n\tdefaultPowerBIDataSourceVersion: powerBI_V3\n"
        f"\tsourceQueryCulture: en-US\n\n{references}\n"
    )


def _expressions(server: str, database: str) -> str:
    """The two parameters that say which database is read; anybody changes them in Power BI."""
    values = {"Server": server, "Database": database}
    kind = 'meta [IsParameterQuery = true, Type = "Text", IsParameterQueryRequired = true]'
    return "\n".join(
        f'expression {name} = "{value}" {kind}\n\tlineageTag: {_tag("expression", name)}\n'
        for name, value in values.items()
    )


def _relationship(table: str, column: str, to_table: str, to_column: str) -> str:
    name = _tag("relationship", table, column)
    return f"relationship {name}\n\tfromColumn: {table}.{column}\n\ttoColumn: {to_table}.{to_column}\n"


def _report() -> dict[str, str]:
    """Path below the report's folder -> content."""
    base = f"{SCHEMAS}/item/report/definition"
    theme = {"name": THEME, "reportVersionAtImport": "5.55", "type": "RegisteredResources"}
    package = {
        "name": "RegisteredResources",
        "type": "RegisteredResources",
        "items": [{"name": THEME, "path": THEME, "type": "CustomTheme"}],
    }
    made = {
        f"StaticResources/RegisteredResources/{THEME}": json.dumps(_theme(), indent=2) + "\n",
        "definition/report.json": _json(
            f"{base}/report/1.0.0/schema.json",
            themeCollection={"customTheme": theme},
            layoutOptimization="None",
            resourcePackages=[package],
        ),
        "definition/version.json": _json(f"{base}/versionMetadata/1.0.0/schema.json", version="1.0.0"),
        "definition/pages/pages.json": _json(
            f"{base}/pagesMetadata/1.0.0/schema.json", pageOrder=[*PAGES], activePageName=next(iter(PAGES))
        ),
    }
    for name, (title, visuals) in PAGES.items():
        made[f"definition/pages/{name}/page.json"] = _json(
            f"{base}/page/1.0.0/schema.json",
            name=name,
            displayName=title,
            displayOption="FitToPage",
            height=720,
            width=1280,
        )
        for visual_name, visual in visuals().items():
            made[f"definition/pages/{name}/visuals/{visual_name}/visual.json"] = _json(
                f"{base}/visualContainer/1.0.0/schema.json", name=visual_name, **visual
            )
    return made


def _theme() -> dict[str, Any]:
    """The colours of the reports."""
    return {
        "name": NAME,
        "dataColors": [style.BLUE, style.ORANGE, style.GREEN, style.PINK, style.GOLD, style.SKY],
        "background": style.PAPER,
        "foreground": style.INK,
        "foregroundNeutralSecondary": style.SOFT,
        "backgroundLight": style.GRID,
        "tableAccent": style.BLUE,
        "good": style.UP,
        "bad": style.DOWN,
        "neutral": style.MUTE,
    }


def _market() -> dict[str, dict[str, Any]]:
    return {
        "currency": _choice("Currency", "currency", "vs_currency", (0, 0, 320, 80), CURRENCY),
        "period": _period((320, 0, 640, 80)),
        "median": _chart("The median coin by day, first day = 100", "market_day", "Median coin", TOP_LEFT),
        "breadth": _chart(
            "Share of coins above their 50-day average", "market_day", "Share above 50-day average", TOP_RIGHT
        ),
        "fear_greed": _chart("Fear and greed by day", "market_day", "Fear and greed", BOTTOM_LEFT),
        "coins": _listing(
            "The coins as of the newest snapshot",
            "coin_now",
            ("name", "price", "market_cap", "return_24h", "return_7d"),
            BOTTOM_RIGHT,
        ),
    }


def _coin() -> dict[str, dict[str, Any]]:
    return {
        "currency": _choice("Currency", "currency", "vs_currency", (0, 0, 320, 80), CURRENCY),
        "period": _period((320, 0, 640, 80)),
        "coin": _choice("Coin", "coin", "label", (960, 0, 320, 80), "Bitcoin (BTC)"),
        "close": _chart("Close by day", "coin_day", "Last close", TOP_LEFT),
        "return": _chart("Mean daily return by day", "coin_day", "Mean daily return", TOP_RIGHT),
        "drawdown": _chart("Fall below the highest close so far", "coin_day", "Worst drawdown", BOTTOM_LEFT),
        "months": _listing(
            "Month by month", "coin_month", ("month", "average", "high", "low", "close", "return_1m"), BOTTOM_RIGHT
        ),
    }


def _pipeline() -> dict[str, dict[str, Any]]:
    return {
        "period": _period((0, 0, 640, 80)),
        "runs": _chart("Failed runs by day", "run", "Failed runs", TOP_LEFT, "columnChart"),
        "minutes": _chart("Minutes of a run by day", "run", "Minutes of a run", TOP_RIGHT),
        "newest": _listing(
            "Runs", "run", ("started_at", "status", "seconds", "rows_written", "rows_rejected"), BOTTOM_LEFT
        ),
        "tables": _listing(
            "How far tables reach", "table_now", ("table_name", "as_of", "Hours old", "sla_hours"), BOTTOM_RIGHT
        ),
    }


PAGES = {"market": ("Market", _market), "coin": ("Coin", _coin), "pipeline": ("Pipeline", _pipeline)}


def _chart(title: str, owner: str, measure: str, place: Place, kind: str = "lineChart") -> dict[str, Any]:
    query = {"Category": _projections(_field("calendar", "date")), "Y": _projections(_field(owner, measure))}
    return _visual(kind, query, title, place)


def _listing(title: str, owner: str, names: tuple[str, ...], place: Place) -> dict[str, Any]:
    return _visual("tableEx", {"Values": _projections(*(_field(owner, name) for name in names))}, title, place)


def _choice(title: str, owner: str, column: str, place: Place, chosen: str) -> dict[str, Any]:
    """A slicer of one value, with one chosen from the start."""
    source = {"Name": "chosen", "Entity": owner, "Type": 0}
    expression = {"Column": {"Expression": {"SourceRef": {"Source": "chosen"}}, "Property": column}}
    values = [[{"Literal": {"Value": f"'{chosen}'"}}]]
    condition = {"Condition": {"In": {"Expressions": [expression], "Values": values}}}
    found = {"filter": {"Version": 2, "From": [source], "Where": [condition]}}
    objects = {
        "data": [{"properties": {"mode": _literal("'Dropdown'")}}],
        "selection": [{"properties": {"strictSingleSelect": _literal("true")}}],
        "general": [{"properties": {"filter": found}}],
    }
    return _visual("slicer", {"Values": _projections(_field(owner, column))}, title, place, objects)


def _period(place: Place) -> dict[str, Any]:
    """A slicer from one day to another."""
    objects = {"data": [{"properties": {"mode": _literal("'Between'")}}]}
    return _visual("slicer", {"Values": _projections(_field("calendar", "date"))}, "Days", place, objects)


def _visual(
    kind: str, query: dict[str, Any], title: str, place: Place, objects: dict[str, Any] | None = None
) -> dict[str, Any]:
    x, y, width, height = place
    shown = {"show": _literal("true"), "text": _literal(f"'{title}'")}
    return {
        "position": {"x": x, "y": y, "z": 0, "width": width, "height": height, "tabOrder": x + y},
        "visual": {
            "visualType": kind,
            "query": {"queryState": query},
            **({"objects": objects} if objects else {}),
            "visualContainerObjects": {"title": [{"properties": shown}]},
        },
    }


def _field(owner: str, name: str) -> dict[str, Any]:
    is_measure = any(measure[0] == name for measure in MEASURES.get(owner, ()))
    expression = {"Expression": {"SourceRef": {"Entity": owner}}, "Property": name}
    return {
        "field": {"Measure" if is_measure else "Column": expression},
        "queryRef": f"{owner}.{name}",
        "nativeQueryRef": name,
    }


def _projections(*fields: dict) -> dict[str, Any]:
    return {"projections": [*fields]}


def _literal(value: str) -> dict[str, Any]:
    return {"expr": {"Literal": {"Value": value}}}


def _platform(kind: str) -> str:
    return _json(
        f"{SCHEMAS}/gitIntegration/platformProperties/2.0.0/schema.json",
        metadata={"type": kind, "displayName": NAME},
        config={"version": "2.0", "logicalId": _tag(kind)},
    )


def _tag(*names: str) -> str:
    """An id that stays the same as long as the name does."""
    return str(uuid.uuid5(_TAGS, "/".join(names)))


def _json(schema: str, **content: Any) -> str:
    return json.dumps({"$schema": schema} | content, indent=2, ensure_ascii=False) + "\n"
