"""What Unity Catalog looks like now: system.information_schema read into the same items as model.py makes.

A table, schema or volume that the project does not describe is nobody's business here and is left out.
Grants, tags, filters and masks inside the project's catalog are all read: what should not be there is drift.
Filters and masks never should: the pipeline could not read its own tables.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from coinlake.schema import quoted_text
from coinlake_ops.desired_state import Item

Query = Callable[[str], Sequence[Mapping[str, str | None]]]

COLUMNS = {
    "external_locations": "external_location_name, external_location_owner, url, storage_credential_name, comment",
    "catalogs": "catalog_name, catalog_owner, comment",
    "schemata": "schema_name, schema_owner, comment",
    "volumes": "volume_schema, volume_name, volume_owner, comment, storage_location",
    "tables": "table_schema, table_name, table_owner, comment",
    "views": "table_schema, table_name, view_definition",
    "columns": "table_schema, table_name, column_name, comment",
    "routines": "routine_schema, routine_name, routine_definition, comment",
    "row_filters": "schema_name, table_name, filter_catalog, filter_schema, filter_name, filter_col_usage",
    "column_masks": "schema_name, table_name, column_name, mask_catalog, mask_schema, mask_name",
    "catalog_tags": "tag_name, tag_value",
    "schema_tags": "schema_name, tag_name, tag_value",
    "table_tags": "schema_name, table_name, tag_name, tag_value",
    "column_tags": "schema_name, table_name, column_name, tag_name, tag_value",
    "catalog_privileges": "grantee, privilege_type, inherited_from",
    "schema_privileges": "schema_name, grantee, privilege_type, inherited_from",
    "table_privileges": "table_schema, table_name, grantee, privilege_type, inherited_from",
    "volume_privileges": "volume_schema, volume_name, grantee, privilege_type, inherited_from",
    "external_location_privileges": "external_location_name, grantee, privilege_type, inherited_from",
    "credential_privileges": "credential_name, grantee, privilege_type, inherited_from",
}
CATALOG_COLUMN = {
    "catalogs": "catalog_name",
    "schemata": "catalog_name",
    "volumes": "volume_catalog",
    "tables": "table_catalog",
    "views": "table_catalog",
    "columns": "table_catalog",
    "routines": "routine_catalog",
    "row_filters": "catalog_name",
    "column_masks": "catalog_name",
    "catalog_tags": "catalog_name",
    "schema_tags": "catalog_name",
    "table_tags": "catalog_name",
    "column_tags": "catalog_name",
    "catalog_privileges": "catalog_name",
    "schema_privileges": "catalog_name",
    "table_privileges": "table_catalog",
    "volume_privileges": "volume_catalog",
}


def read(query: Query, desired: Iterable[Item], catalog: str) -> list[Item]:
    """The items that are there; `query` runs a SELECT and gives its rows as mappings of column names."""
    wanted = {item.key: item for item in desired}
    found = {item.key: item for item in _everything(query, catalog, wanted)}
    # In the order of what should be, so that removals run against it; what should not be comes last.
    ordered = [found[key] for key in wanted if key in found]
    return ordered + [item for key, item in found.items() if key not in wanted]


def _everything(query: Query, catalog: str, wanted: Mapping) -> Iterator[Item]:
    def rows(view: str) -> Sequence[Mapping]:
        where = f" WHERE {CATALOG_COLUMN[view]} = {quoted_text(catalog)}" if view in CATALOG_COLUMN else ""
        return query(f"SELECT {COLUMNS[view]} FROM system.information_schema.{view}{where}")

    described = [*_locations(rows("external_locations"), wanted)]
    catalogs = rows("catalogs")
    if catalogs:
        described += [*_containers(rows, catalog, catalogs, wanted), *_functions(rows, catalog, wanted)]
        yield from _policies(rows, catalog)
        yield from _tags(rows, catalog)
    yield from (item for item in described if item.key in wanted or item.kind == "function")
    yield from _grants(rows, catalog, wanted, bool(catalogs))


def _locations(rows, wanted) -> Iterator[Item]:
    for row in rows:
        should = wanted.get(("external location", row["external_location_name"]))
        content = {
            "url": _place(row["url"], should and should.content["url"]),
            "comment": row["comment"],
            "credential": row["storage_credential_name"],
            "owner": row["external_location_owner"],
        }
        yield Item("external location", row["external_location_name"], content)


def _place(there: str | None, wanted: str | None) -> str | None:
    """An address as it was asked for: Unity Catalog gives it back without the slash at its end, or with one."""
    return wanted if wanted and there and wanted.rstrip("/") == there.rstrip("/") else there


def _containers(rows, catalog: str, catalogs, wanted) -> Iterator[Item]:
    for row in catalogs:
        content = {"comment": row["comment"], "owner": row["catalog_owner"]}
        # Not in the information schema, and not to be changed: taken as it should be.
        content["managed_location"] = wanted["catalog", catalog].content["managed_location"]
        yield Item("catalog", catalog, content)
    for row in rows("schemata"):
        content = {"comment": row["comment"], "owner": row["schema_owner"]}
        yield Item("schema", f"{catalog}.{row['schema_name']}", content)
    for row in rows("volumes"):
        name = f"{catalog}.{row['volume_schema']}.{row['volume_name']}"
        should = wanted.get(("volume", name))
        location = _place(row["storage_location"], should and should.content["location"])
        content = {"comment": row["comment"], "owner": row["volume_owner"], "location": location}
        yield Item("volume", name, content)
    queries = {(row["table_schema"], row["table_name"]): row["view_definition"] for row in rows("views")}
    for row in rows("tables"):
        content = {"comment": row["comment"], "owner": row["table_owner"]}
        place = row["table_schema"], row["table_name"]
        if place in queries:
            yield Item(
                "view", ".".join([catalog, *place]), content | {"query": " ".join((queries[place] or "").split())}
            )
        else:
            yield Item("table", ".".join([catalog, *place]), content)
    comments: dict[str, dict] = defaultdict(dict)
    for row in rows("columns"):
        comments[f"{catalog}.{row['table_schema']}.{row['table_name']}"][row["column_name"]] = row["comment"]
    yield from (Item("columns", name, content) for name, content in comments.items())


def _functions(rows, catalog: str, wanted) -> Iterator[Item]:
    schemas = {name.rpartition(".")[0] for kind, name in wanted if kind == "function"}
    for row in rows("routines"):
        name = f"{catalog}.{row['routine_schema']}.{row['routine_name']}"
        if name.rpartition(".")[0] in schemas:
            # The signature stands in the function's name and its parameters, which the body uses: the body tells.
            should = wanted.get(("function", name))
            signature = {key: should.content[key] for key in ("parameters", "returns")} if should else {}
            body = " ".join((row["routine_definition"] or "").split())
            yield Item("function", name, signature | {"body": body, "comment": row["comment"]})


def _policies(rows, catalog: str) -> Iterator[Item]:
    for row in rows("row_filters"):
        content = {
            "function": f"{row['filter_catalog']}.{row['filter_schema']}.{row['filter_name']}",
            "columns": [column.strip() for column in (row["filter_col_usage"] or "").split(",") if column],
        }
        yield Item("row filter", f"{catalog}.{row['schema_name']}.{row['table_name']}", content)
    for row in rows("column_masks"):
        name = f"{catalog}.{row['schema_name']}.{row['table_name']}.{row['column_name']}"
        content = {"function": f"{row['mask_catalog']}.{row['mask_schema']}.{row['mask_name']}"}
        yield Item("column mask", name, content)


def _tags(rows, catalog: str) -> Iterator[Item]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for kind in ("catalog", "schema", "table", "column"):
        for row in rows(f"{kind}_tags"):
            parts = [row[f"{part}_name"] for part in ("schema", "table", "column") if f"{part}_name" in row]
            found[f"{kind} {'.'.join([catalog, *parts])}"][row["tag_name"]] = row["tag_value"]
    yield from (Item("tags", name, content) for name, content in found.items())


def _grants(rows, catalog: str, wanted, has_catalog: bool) -> Iterator[Item]:
    found: dict[str, list[str]] = defaultdict(list)
    kinds = {
        "catalog": (),
        "schema": ("schema_name",),
        "table": ("table_schema", "table_name"),
        "volume": ("volume_schema", "volume_name"),
    }
    for kind, columns in kinds.items() if has_catalog else ():
        for row in _granted_here(rows(f"{kind}_privileges")):
            name = ".".join([catalog, *(row[column] for column in columns)])
            found[f"{kind} {name} to {row['grantee']}"].append(row["privilege_type"].replace("_", " "))
    # These belong to the metastore, which other catalogs use too.
    for kind, view in (("external location", "external_location"), ("service credential", "credential")):
        for row in _granted_here(rows(f"{view}_privileges")):
            if (kind, row[f"{view}_name"]) in wanted:
                name = f"{kind} {row[f'{view}_name']} to {row['grantee']}"
                found[name].append(row["privilege_type"].replace("_", " "))
    yield from (Item("grants", name, sorted(privileges)) for name, privileges in found.items())


def _granted_here(rows) -> Iterator[Mapping]:
    return (row for row in rows if row["inherited_from"] in (None, "", "NONE"))
