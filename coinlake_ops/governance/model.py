"""What Unity Catalog should look like: sql/governance/coinlake.yml and coinlake.schema as items, in order.

Kinds of items and what their content holds:
storage credential, service credential, external location, catalog, schema, volume, table: comment, owner, and
where it stands; columns: column -> comment; function: parameters, returns, body, comment; tags: name -> value;
view: comment, owner, query; grants: sorted privileges of one principal.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from coinlake import project_files, schema
from coinlake.errors import CoinlakeError
from coinlake_ops import environment as environments
from coinlake_ops.desired_state import Item
from coinlake_ops.environment import Environment

PATH = project_files.path("sql/governance/coinlake.yml")
# What the API makes, and no SQL.
CREDENTIALS = ("storage credential", "service credential")
PRINCIPALS = ("platform", "engineers", "analysts", "pipeline")
# Schemas that hold no tables: functions, and the views that use them.
POLICIES, SHARED = "policies", "shared_data"


@dataclass(frozen=True)
class Setting:
    """What the YAML's placeholders stand for: one environment, its addresses, and who its principals are."""

    environment: str
    catalog: str
    tables: str
    files: str
    staging: str
    sql_credential: str
    access_connector_id: str
    principals: Mapping[str, str]

    @property
    def sees_all(self) -> str:
        """The SQL condition that holds for those who run the pipeline: two groups and one identity."""
        groups = " OR ".join(
            f"is_account_group_member({schema.quoted_text(self.principals[name])})"
            for name in ("platform", "engineers")
        )
        return f"{groups} OR session_user() = {schema.quoted_text(self.principals['pipeline'])}"


def setting(
    environment: Environment, parameters: Mapping[str, Any], access_connector_id: str, pipeline: str
) -> Setting:
    """The setting of an environment; `pipeline` is the application id of the factory's identity."""
    return Setting(
        environment=environment.name,
        catalog=parameters["catalog"],
        sql_credential=parameters["sql_credential"],
        tables=environment.container("tables"),
        files=environment.container("lake"),
        staging=environment.container("staging"),
        access_connector_id=access_connector_id,
        principals={
            "platform": environment.platform_group,
            "engineers": environment.engineers_group,
            "analysts": environment.analysts_group,
            "pipeline": pipeline,
        },
    )


def setting_without_cloud(name: str) -> Setting:
    """The setting of an environment by its name, with placeholders for what only the cloud knows."""
    described, parameters = environments.load(name, placeholders=True)
    connector = (
        f"{described.group_id}/providers/Microsoft.Databricks/accessConnectors/{described.access_connector}"
    )
    return setting(described, parameters, connector, f"<application id of {described.factory}>")


def desired(setting: Setting, path: Path = PATH) -> list[Item]:
    """Everything that should be, each item after those it needs.

    Raises CoinlakeError when the file names a schema, table, column, function or principal that does not exist.
    """
    model = _read(path)
    faults = list(_faults(model))
    if faults:
        raise CoinlakeError(f"{path.name} cannot be applied:\n  " + "\n  ".join(faults))
    return list(_items(_filled(model, setting), setting))


@cache
def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _items(model: Mapping[str, Any], setting: Setting) -> Iterator[Item]:
    owner = setting.principals[model["owner"]]
    for kind in ("storage credential", "service credential"):
        described = model[kind.replace(" ", "_")]
        content = {"access_connector": setting.access_connector_id, "comment": described["comment"]}
        yield Item(kind, described["name"], content | {"owner": owner})
    credential = model["storage_credential"]["name"]
    for name, location in model["external_locations"].items():
        described = {field: location[field] for field in ("url", "comment")}
        yield Item("external location", name, described | {"credential": credential, "owner": owner})
    yield from _containers(model, setting, owner)
    yield from _tables(setting, owner)
    yield from _functions_and_views(model, setting, owner)
    yield from _tags(model, setting)
    yield from _grants(model, setting)


def _containers(model, setting: Setting, owner: str) -> Iterator[Item]:
    described = {"comment": model["catalog"]["comment"], "owner": owner}
    # Where a catalog or volume stands cannot be changed later: it is sent, but a difference could not be mended.
    yield Item("catalog", setting.catalog, described | {"managed_location": model["catalog"]["managed_location"]})
    for name, described_schema in model["schemas"].items():
        comment = described_schema.get("comment") or schema.SCHEMAS[name]
        yield Item("schema", f"{setting.catalog}.{name}", {"comment": comment, "owner": owner})
    for name, volume in model["volumes"].items():
        yield Item("volume", f"{setting.catalog}.{name}", {**volume, "owner": owner})


def _tables(setting: Setting, owner: str) -> Iterator[Item]:
    for table in schema.TABLES:
        name = f"{setting.catalog}.{table.qualified_name}"
        yield Item("table", name, {"comment": table.comment, "owner": owner})
        yield Item("columns", name, {column.name: column.comment for column in table.columns})


def _functions_and_views(model, setting: Setting, owner: str) -> Iterator[Item]:
    for name, function in model["functions"].items():
        yield Item("function", f"{setting.catalog}.{POLICIES}.{name}", function)
    for name, view in model["views"].items():
        content = {"comment": view["comment"], "owner": owner, "query": _query(view, setting.catalog)}
        yield Item("view", f"{setting.catalog}.{name}", content)


def _query(view: Mapping[str, Any], catalog: str) -> str:
    """The query of a view: its table's columns, some of them masked, and the rows that its filter lets pass."""

    def call(function: str, arguments: Iterable[str]) -> str:
        return f"`{catalog}`.`{POLICIES}`.`{function}`({', '.join(f'`{column}`' for column in arguments)})"

    masks = view["column_masks"]
    table = next(table for table in schema.TABLES if table.qualified_name == view["table"])
    columns = (
        f"{call(masks[column], [column])} AS `{column}`" if column in masks else f"`{column}`"
        for column in table.column_names
    )
    query = f"SELECT {', '.join(columns)} FROM `{catalog}`.`{table.schema}`.`{table.name}`"
    policy = view.get("row_filter")
    return f"{query} WHERE {call(policy['function'], policy['columns'])}" if policy else query


def _tags(model, setting: Setting) -> Iterator[Item]:
    yield Item("tags", f"catalog {setting.catalog}", model["catalog"]["tags"])
    for name, described_schema in model["schemas"].items():
        yield Item("tags", f"schema {setting.catalog}.{name}", described_schema["tags"])
    for table in schema.TABLES:
        layer = model["schemas"][table.schema]["tags"]["layer"]
        tags = {"layer": layer, "key": " ".join(table.key)}
        yield Item("tags", f"table {setting.catalog}.{table.qualified_name}", tags)
    for name, tags in model["column_tags"].items():
        yield Item("tags", f"column {setting.catalog}.{name}", tags)


def _grants(model, setting: Setting) -> Iterator[Item]:
    service = model["service_credential"]
    granted = {f"service credential {service['name']}": service["grants"]}
    granted |= {
        f"external location {name}": location.get("grants", {})
        for name, location in model["external_locations"].items()
    }
    granted[f"catalog {setting.catalog}"] = model["catalog"]["grants"]
    granted |= {f"schema {setting.catalog}.{name}": schema["grants"] for name, schema in model["schemas"].items()}
    shown_otherwise = {view["table"] for view in model["views"].values()}
    for table in schema.TABLES:
        if table.schema in model["table_grants"] and table.qualified_name not in shown_otherwise:
            granted[f"table {setting.catalog}.{table.qualified_name}"] = model["table_grants"][table.schema]
    for securable, grants in granted.items():
        for role, privileges in grants.items():
            if isinstance(privileges, dict):
                privileges = privileges[setting.environment]
            if privileges:
                yield Item("grants", f"{securable} to {setting.principals[role]}", sorted(privileges))


def _faults(model: Mapping[str, Any]) -> Iterator[str]:
    columns = {table.qualified_name: set(table.column_names) for table in schema.TABLES}
    for name in schema.SCHEMAS:
        if name not in model["schemas"]:
            yield f"schemas: {name} of coinlake.schema is missing."
    for name in model["schemas"]:
        if name not in (*schema.SCHEMAS, POLICIES, SHARED):
            yield f"schemas: there is no {name} in coinlake.schema."
    for name in model["table_grants"]:
        if name not in schema.SCHEMAS:
            yield f"table_grants: there is no schema {name} in coinlake.schema."
    for name, view in model["views"].items():
        policy = view.get("row_filter", {"columns": []})
        if view["table"] not in columns:
            yield f"views: {name} shows {view['table']}, which is no table."
        for column in [*policy["columns"], *view["column_masks"]]:
            if column not in columns.get(view["table"], {column}):
                yield f"views: {name} names the column {column}, which {view['table']} lacks."
        for function in [policy.get("function"), *view["column_masks"].values()]:
            if function and function not in model["functions"]:
                yield f"functions: {function} is used but not defined."
    for name in model["column_tags"]:
        table, _, column = name.rpartition(".")
        if column not in columns.get(table, ()):
            yield f"column_tags: there is no column {name}."
    sections = [model["catalog"]["grants"], *(schema["grants"] for schema in model["schemas"].values())]
    sections += [model["service_credential"]["grants"]]
    sections += [location.get("grants", {}) for location in model["external_locations"].values()]
    for grants in [*sections, *model["table_grants"].values()]:
        for role in grants:
            if role not in PRINCIPALS:
                yield f"grants: {role} is none of {', '.join(PRINCIPALS)}."


def _filled(value: Any, setting: Setting) -> Any:
    if isinstance(value, dict):
        return {_filled(name, setting): _filled(part, setting) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, setting) for part in value]
    if isinstance(value, str) and "{" in value:
        return value.format(
            environment=setting.environment,
            tables=setting.tables,
            files=setting.files,
            staging=setting.staging,
            sql_credential=setting.sql_credential,
            sees_all=setting.sees_all,
        )
    return value
