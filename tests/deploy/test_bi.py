"""The Power BI project and the dashboard: up to date, and whole in themselves."""

import json
import re

import pytest
import sqlglot
from sqlglot.optimizer.qualify import qualify

from coinlake import schema
from coinlake.errors import CoinlakeError
from coinlake.reports.page import style
from coinlake_ops.bi import FOLDER, dashboard, differences, files, folder, operations, powerbi
from coinlake_ops.bi.views import View, ViewColumn, view

ALL_TABLES = schema.TABLES
MODEL = "coinlake.SemanticModel/definition/"
REPORT = "coinlake.Report/definition/"
# Where each kind of object stands in TMDL, by its depth, and the properties that are written here.
OBJECTS = {0: ("database", "model", "table", "expression", "relationship"), 1: ("column", "measure", "partition")}
PROPERTIES = {
    *("compatibilityLevel", "culture", "defaultPowerBIDataSourceVersion", "sourceQueryCulture", "lineageTag"),
    *("dataCategory", "dataType", "formatString", "summarizeBy", "sourceColumn", "mode", "fromColumn", "toColumn"),
}


@pytest.fixture(autouse=True)
def all_tables(small_catalog, monkeypatch):
    monkeypatch.setattr(schema, "TABLES", ALL_TABLES)


def project() -> dict[str, str]:
    return powerbi.files("sql-coinlake-dev.database.windows.net", "coinlake")


def test_the_folder_is_what_the_documentation_makes():
    assert differences() == [], "run coinlake bi"
    assert len(files("dev")) == len([path for path in FOLDER.rglob("*") if path.is_file()])


def test_the_project_reads_the_database_of_the_users_own_environment_and_any_is_up_to_date(
    only_templates, tmp_path, monkeypatch
):
    monkeypatch.setattr(folder, "FOLDER", tmp_path)
    template = (only_templates / "dev.example.yml").read_text(encoding="utf-8")
    mine = template.replace("sql-coinlake-dev", "sql-mine").replace(
        "sql_database: coinlake", "sql_database: market"
    )
    (only_templates / "dev.yml").write_text(mine, encoding="utf-8")
    count = len(files("dev"))
    assert folder.write("dev") == f"bi/: {count} files, {count} written"
    text = (tmp_path / folder.EXPRESSIONS).read_text(encoding="utf-8")
    assert re.findall(r'^expression (\w+) = "(.+?)"', text, flags=re.MULTILINE) == [
        ("Server", "sql-mine.database.windows.net"),
        ("Database", "market"),
    ]
    assert differences() == []
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")
    (only_templates / "dev.yml").unlink()
    assert differences() == ["old.json"]
    assert folder.write("dev") == f"bi/: {count} files, 1 written"
    assert differences() == []


def test_a_view_as_its_sql_and_the_tables_describe_it(tmp_path):
    (tmp_path / "coin.sql").write_text(
        "-- Coins.\n-- Two lines.\nCREATE OR ALTER VIEW reporting.coin\nAS\nSELECT\n    c.coin_id,\n"
        "    CONCAT(c.name, N'') AS label,\n    c.[name] AS title\nFROM aggregated_data.dim_coin AS c;\n",
        encoding="utf-8",
    )
    assert view("coin", tmp_path) == View(
        "coin",
        "Coins. Two lines.",
        (
            ViewColumn("coin_id", "STRING", "CoinGecko's id of the coin, for example bitcoin"),
            ViewColumn("label", "STRING", "name and symbol, for example Bitcoin (BTC)"),
            ViewColumn("title", "STRING", "name; the id when no page has named the coin yet"),
        ),
    )


def test_a_computed_column_that_nobody_described_is_named(tmp_path):
    text = "-- A.\nCREATE OR ALTER VIEW reporting.x\nAS\nSELECT 1 AS one FROM aggregated_data.dim_coin AS c;\n"
    (tmp_path / "x.sql").write_text(text, encoding="utf-8")
    with pytest.raises(CoinlakeError, match=r"views/x.sql computes one: describe it in coinlake_ops/bi/views.py"):
        view("x", tmp_path)


@pytest.mark.parametrize("path", [path for path in project() if path.endswith(".tmdl")])
def test_tmdl_is_indented_by_tabs_and_holds_only_what_it_knows(path):
    inside_source = False
    for line in project()[path].splitlines():
        depth = len(line) - len(line.lstrip("\t"))
        text = line.lstrip("\t")
        assert not text.startswith(" "), line
        if inside_source and depth >= 4:
            continue
        inside_source = text == "source ="
        if not text or text.startswith(("///", "ref table ")) or inside_source or text == "isKey":
            continue
        word = text.split()[0]
        if word.endswith(":"):
            assert word.rstrip(":") in PROPERTIES, line
        else:
            assert word in OBJECTS[depth], line


def declared() -> dict[str, set[str]]:
    """Table -> columns and measures, read from the TMDL."""
    found = {}
    for path, text in project().items():
        match = re.match(rf"{re.escape(MODEL)}tables/(\w+)\.tmdl", path)
        if match:
            names = re.findall(r"^\t(?:column (\w+)|measure '([^']+)')", text, flags=re.MULTILINE)
            found[match[1]] = {column or measure for column, measure in names}
    return found


def test_every_column_has_its_type_its_meaning_and_its_source():
    described = {column.name: column for column in view("market_day").columns}
    text = project()[f"{MODEL}tables/market_day.tmdl"]
    blocks = re.findall(
        r"\t/// (.+)\n\tcolumn (\w+)\n\t\tdataType: (\w+)\n(?:.*\n)*?\t\tsourceColumn: (\w+)\n", text
    )
    assert [(name, source) for _, name, _, source in blocks] == [(name, name) for name in described]
    assert {name: (meaning, kind) for meaning, name, kind, _ in blocks} == {
        name: (column.comment, powerbi.TYPES[column.type]) for name, column in described.items()
    }


def test_relationships_and_measures_name_what_exists():
    there = declared()
    assert set(there) == set(powerbi.VIEWS)
    for table, column, to_table, to_column in powerbi.RELATIONSHIPS:
        assert column in there[table]
        assert powerbi.KEYS[to_table] == to_column
    for owner, measures in powerbi.MEASURES.items():
        for name, formula, _, _ in measures:
            assert name in there[owner]
            for table, column in re.findall(r"'?(\w+)'?\[(\w+)\]", formula):
                assert column in there[table], formula


def visuals_of(page) -> dict[str, dict]:
    """The visuals of a page of the report, by name."""
    pattern = rf"{re.escape(REPORT)}pages/{page}/visuals/(\w+)/visual\.json"
    return {
        match[1]: json.loads(text) for path, text in project().items() if (match := re.fullmatch(pattern, path))
    }


def shown_by(visual) -> list[str]:
    """The fields that a visual shows, as table.field."""
    projections = visual["visual"]["query"]["queryState"].values()
    fields = [next(iter(one["field"].values())) for part in projections for one in part["projections"]]
    return [f"{field['Expression']['SourceRef']['Entity']}.{field['Property']}" for field in fields]


@pytest.mark.parametrize("page", powerbi.PAGES)
def test_a_page_shows_fields_of_the_model_without_overlap(page):
    there, places = declared(), []
    for name, document in visuals_of(page).items():
        assert document["name"] == name
        places.append(document["position"])
        for projections in document["visual"]["query"]["queryState"].values():
            for projection in projections["projections"]:
                [(kind, field)] = projection["field"].items()
                owner = field["Expression"]["SourceRef"]["Entity"]
                assert field["Property"] in there[owner]
                assert (kind == "Measure") == any(
                    field["Property"] == m[0] for m in powerbi.MEASURES.get(owner, ())
                )
    described = json.loads(project()[f"{REPORT}pages/{page}/page.json"])
    _assert_no_overlap(places, described["width"], described["height"])


def test_readers_choose_coin_days_and_currency():
    chosen = {
        page: {
            name: shown_by(visual)
            for name, visual in visuals_of(page).items()
            if visual["visual"]["visualType"] == "slicer"
        }
        for page in powerbi.PAGES
    }
    period, currency = ["calendar.date"], ["currency.vs_currency"]
    assert chosen == {
        "market": {"currency": currency, "period": period},
        "coin": {"coin": ["coin.label"], "currency": currency, "period": period},
        "pipeline": {"period": period},
    }
    # Every table that a slicer is about is reached from each table that the page's other visuals show.
    reached = {(table, to) for table, _, to, _ in powerbi.RELATIONSHIPS}
    for page, slicers in chosen.items():
        facts = {
            field.partition(".")[0]
            for name, visual in visuals_of(page).items()
            if name not in slicers and visual["visual"]["visualType"] != "tableEx"
            for field in shown_by(visual)
        } - {"calendar"}
        for fields in slicers.values():
            table = fields[0].partition(".")[0]
            missing = {fact for fact in facts if (fact, table) not in reached}
            assert missing == set(), (page, table)


def test_one_currency_is_chosen_from_the_start_for_a_sum_over_all_means_nothing():
    for page in ("market", "coin"):
        objects = visuals_of(page)["currency"]["visual"]["objects"]
        [selection] = objects["selection"]
        assert selection["properties"] == {"strictSingleSelect": {"expr": {"Literal": {"Value": "true"}}}}
        [general] = objects["general"]
        [where] = general["properties"]["filter"]["filter"]["Where"]
        assert where["Condition"]["In"]["Values"] == [[{"Literal": {"Value": "'usd'"}}]]


def test_the_calendar_is_marked_as_the_table_of_dates():
    text = project()[f"{MODEL}tables/calendar.tmdl"]
    assert "\n\tdataCategory: Time\n" in text
    assert "\tcolumn date\n\t\tdataType: dateTime\n\t\tisKey\n" in text
    marked = [path for path, content in project().items() if "dataCategory: Time" in content]
    assert marked == [f"{MODEL}tables/calendar.tmdl"]


def test_the_report_wears_the_colours_of_the_pages():
    report = json.loads(project()[f"{REPORT}report.json"])
    theme = report["themeCollection"]["customTheme"]
    [package] = report["resourcePackages"]
    [item] = package["items"]
    assert (theme["name"], theme["type"]) == (item["name"], package["name"])
    colours = json.loads(project()[f"coinlake.Report/StaticResources/{package['name']}/{item['path']}"])
    assert colours["dataColors"][:2] == [style.BLUE, style.ORANGE]
    assert (colours["background"], colours["foreground"]) == (style.PAPER, style.INK)


def test_every_json_names_its_schema_and_every_path_leads_somewhere():
    made = project()
    for path, text in made.items():
        if not path.endswith(".tmdl") and "/StaticResources/" not in path:
            assert re.match(rf"{powerbi.SCHEMAS}/[\w/]+/\d\.\d\.\d/schema\.json$", json.loads(text)["$schema"]), (
                path
            )
    assert json.loads(made["coinlake.pbip"])["artifacts"] == [{"report": {"path": "coinlake.Report"}}]
    reference = json.loads(made["coinlake.Report/definition.pbir"])["datasetReference"]
    assert reference == {"byPath": {"path": "../coinlake.SemanticModel"}}
    tags = re.findall(r"lineageTag: (\S+)", "".join(made.values()))
    assert len(tags) == len(set(tags))


# Columns of Databricks' system tables. Source: their references, "Jobs", "Billable usage", "Pricing".
SYSTEM = {
    "lakeflow": {
        "job_run_timeline": {
            **dict.fromkeys(("workspace_id", "job_id", "run_id", "result_state"), "STRING"),
            **dict.fromkeys(("period_start_time", "period_end_time"), "TIMESTAMP"),
        }
    },
    "billing": {
        "usage": {
            **{"usage_date": "DATE", "usage_quantity": "DECIMAL", "custom_tags": "MAP<STRING, STRING>"},
            **dict.fromkeys(("sku_name", "cloud", "workspace_id"), "STRING"),
            "usage_start_time": "TIMESTAMP",
        },
        "list_prices": {
            **dict.fromkeys(("sku_name", "cloud"), "STRING"),
            **dict.fromkeys(("price_start_time", "price_end_time"), "TIMESTAMP"),
            "pricing": "STRUCT<default: DECIMAL>",
        },
    },
}
DASHBOARDS = {"market": dashboard, "operations": operations}


def fields_of_datasets(document) -> dict[str, set[str]]:
    """Dataset -> the columns that its query gives, every column in it found in a table."""
    known: dict = {"system": SYSTEM, "c": {}}
    for table in ALL_TABLES:
        columns = {column.name: column.type for column in table.columns}
        known["c"].setdefault(table.schema, {})[table.name] = columns
    found = {}
    for dataset in document["datasets"]:
        tree = sqlglot.parse_one("".join(dataset["queryLines"]), read="databricks")
        qualified = qualify(tree, schema=known, dialect="databricks", validate_qualify_columns=True)
        found[dataset["name"]] = set(qualified.named_selects)
    return found


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_queries_of_a_dashboard_find_their_columns(name):
    document = DASHBOARDS[name].document("c")
    fields = fields_of_datasets(document)
    for entry in widgets_of(document):
        named = {}
        for query in entry["widget"]["queries"]:
            named[query["name"]] = [field["name"] for field in query["query"]["fields"]]
            asked = {one for one in named[query["name"]] if not one.endswith("_associativity")}
            assert asked <= fields[query["query"]["datasetName"]]
        encodings = entry["widget"]["spec"]["encodings"]
        if "fields" in encodings:
            for shown in encodings["fields"]:
                assert shown["fieldName"] in named[shown["queryName"]]
        else:
            assert re.findall(r"'fieldName': '(\w+)'", str(encodings)) == named["main_query"]


def widgets_of(document):
    return [entry for page in document["pages"] for entry in page["layout"]]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_widgets_stand_side_by_side(name):
    document = DASHBOARDS[name].document()
    for page in document["pages"]:
        _assert_no_overlap([entry["position"] for entry in page["layout"]], 6, 100)
    names = [entry["widget"]["name"] for entry in widgets_of(document)]
    assert len(names) == len(set(names))


def test_readers_choose_the_currency_of_everything_in_the_market_and_the_days_of_its_lines():
    document = dashboard.document()
    chosen = {
        entry["widget"]["name"]: {query["query"]["datasetName"] for query in entry["widget"]["queries"]}
        for entry in widgets_of(document)
        if entry["widget"]["spec"]["widgetType"].startswith("filter-")
    }
    assert chosen == {
        "choose_vs_currency": {dataset["name"] for dataset in document["datasets"]},
        "choose_date": {"market"},
    }
    # A sum over all currencies would mean nothing: one is chosen from the start, and no query fixes another.
    [currency] = [entry for entry in widgets_of(document) if entry["widget"]["name"] == "choose_vs_currency"]
    assert currency["widget"]["spec"]["widgetType"] == "filter-single-select"
    default = currency["widget"]["spec"]["selection"]["defaultSelection"]["values"]
    assert default == {"dataType": "STRING", "values": [{"value": "usd"}]}
    assert "usd" not in str(document["datasets"])


def _assert_no_overlap(places, width, height):
    for place in places:
        assert place["x"] + place["width"] <= width
        assert place["y"] + place["height"] <= height
    for number, one in enumerate(places):
        for other in places[number + 1 :]:
            beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
            assert beside or below, (one, other)
