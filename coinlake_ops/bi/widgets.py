"""The pieces of a Databricks dashboard (AI/BI): datasets, charts, tables, filters, pages.

Source: Databricks documentation of dashboards in asset bundles, and the widgets' own specifications.
"""

from collections.abc import Iterable, Mapping
from typing import Any

VERSIONS = {
    "line": 3,
    "bar": 3,
    "counter": 2,
    "table": 2,
    "filter-single-select": 2,
    "filter-date-range-picker": 2,
}
# x, y, width and height, in units of a grid that is six wide.
Place = tuple[int, int, int, int]


def dataset(name: str, title: str, query: Iterable[str]) -> dict[str, Any]:
    """A query, given line by line, and what it is called."""
    return {"name": name, "displayName": title, "queryLines": [f"{line}\n" for line in query]}


def page(name: str, title: str, layout: list[dict[str, Any]]) -> dict[str, Any]:
    """A page with its widgets."""
    return {"name": name, "displayName": title, "layout": layout}


def chart(
    kind: str, dataset_name: str, x: str, y: str, title: str, meanings: Mapping[str, str], place: Place
) -> dict[str, Any]:
    """A line or bar chart of one column over another; `meanings` has what both are, with units."""
    scale = "temporal" if kind == "line" else "categorical"
    encodings = {
        "x": {"fieldName": x, "scale": {"type": scale}, "displayName": meanings[x]},
        "y": {"fieldName": y, "scale": {"type": "quantitative"}, "displayName": meanings[y]},
    }
    return _shown(kind, y, dataset_name, (x, y), encodings, title, meanings[y], place)


def listing(
    name: str, dataset_name: str, columns: tuple[str, ...], title: str, meaning: str, place: Place
) -> dict[str, Any]:
    """A table of columns."""
    encodings = {"columns": [{"fieldName": column, "displayName": column} for column in columns]}
    return _shown("table", name, dataset_name, columns, encodings, title, meaning, place)


def choice(column: str, datasets: Iterable[str], title: str, default: str, place: Place) -> dict[str, Any]:
    """A filter of one value of a column that all the datasets have; `default` is chosen until a reader chooses."""
    spec = {"selection": {"defaultSelection": {"values": {"dataType": "STRING", "values": [{"value": default}]}}}}
    return _filter("filter-single-select", column, datasets, title, spec, place)


def period(column: str, datasets: Iterable[str], title: str, place: Place) -> dict[str, Any]:
    """A filter from one day to another of a column that all the datasets have."""
    return _filter("filter-date-range-picker", column, datasets, title, {}, place)


def _filter(
    kind: str, column: str, datasets: Iterable[str], title: str, spec: dict[str, Any], place: Place
) -> dict[str, Any]:
    named = {name: f"{name}_{column}" for name in datasets}
    associativity = {
        "name": f"{column}_associativity",
        "expression": "COUNT_IF(`associative_filter_predicate_group`)",
    }
    queries = [
        {
            "name": query,
            "query": {"datasetName": name, "fields": [_field(column), associativity], "disaggregated": False},
        }
        for name, query in named.items()
    ]
    fields = [{"fieldName": column, "displayName": title, "queryName": query} for query in named.values()]
    content = {"encodings": {"fields": fields}, "frame": {"showTitle": True, "title": title}} | spec
    return _widget(kind, f"choose_{column}", queries, content, place)


def _shown(
    kind: str,
    name: str,
    dataset_name: str,
    columns: tuple[str, ...],
    encodings: dict[str, Any],
    title: str,
    description: str,
    place: Place,
) -> dict[str, Any]:
    query = {
        "datasetName": dataset_name,
        "fields": [_field(column) for column in columns],
        "disaggregated": True,
    }
    frame = {"showTitle": True, "title": title, "showDescription": True, "description": description}
    queries = [{"name": "main_query", "query": query}]
    return _widget(kind, name, queries, {"encodings": encodings, "frame": frame}, place)


def _widget(
    kind: str, name: str, queries: list[dict[str, Any]], content: dict[str, Any], place: Place
) -> dict[str, Any]:
    return {
        "widget": {
            "name": name,
            "queries": queries,
            "spec": {"version": VERSIONS[kind], "widgetType": kind, **content},
        },
        "position": dict(zip(("x", "y", "width", "height"), place, strict=True)),
    }


def _field(column: str) -> dict[str, str]:
    return {"name": column, "expression": f"`{column}`"}
