"""Unity Catalog behind SQL: it reads the statements that are sent, and refuses what the real one refuses."""

import re

from tests.support import databricks_grammar

NAME = r"((?:`[^`]+`|\w+)(?:\.(?:`[^`]+`|\w+))*)"
# A quote in a text is written twice or after a backslash.
TEXT = r"'((?:[^'\\]|\\.|'')*)'"
GRANTED = "EXTERNAL LOCATION|SERVICE CREDENTIAL|CATALOG|SCHEMA|TABLE|VOLUME"
PRIVILEGES = {
    "catalog": {"USE CATALOG", "BROWSE", "CREATE SCHEMA", "ALL PRIVILEGES"},
    "schema": {
        *("USE SCHEMA", "SELECT", "MODIFY", "CREATE TABLE", "READ VOLUME", "WRITE VOLUME", "EXECUTE"),
        "ALL PRIVILEGES",
    },
    "table": {"SELECT", "MODIFY", "ALL PRIVILEGES"},
    "volume": {"READ VOLUME", "WRITE VOLUME", "ALL PRIVILEGES"},
    "external location": {"READ FILES", "WRITE FILES", "ALL PRIVILEGES"},
    "service credential": {"ACCESS", "ALL PRIVILEGES"},
}


class SqlError(Exception):
    """A statement that fails, in the words of Databricks."""


class FakeUnityCatalog:
    """One metastore: securables by full name, tags, policies and grants.

    It keeps addresses without the slash at their end, and shows those of external locations with one: the service
    does either, as reported in databricks/cli #5145 and databricks/terraform-provider-databricks #2335.
    """

    def __init__(self, groups: set[str]):
        self.groups = groups
        # How often storage refuses until it knows the role of the access connector.
        self.roles_unknown_for = 0
        self.state: dict = {
            "credentials": {},
            "locations": {},
            "catalog": {},
            "schema": {},
            "volume": {},
            "table": {},
            "view": {},
            "function": {},
            "tags": {},
            "filters": {},
            "masks": {},
            "grants": {},
        }

    def run(self, statement: str) -> tuple[list[str], list[list]]:
        """Run a statement: the columns and rows of its result. What the reference does not know is refused."""
        if not databricks_grammar.documented(statement):
            raise SqlError(f"[PARSE_SYNTAX_ERROR] Syntax error at or near {statement[:60]!r}.")
        for pattern, method in self._STATEMENTS:
            match = re.fullmatch(pattern, statement, flags=re.DOTALL)
            if match:
                return method(self, *match.groups()) or ([], [])
        raise AssertionError(f"the fake catalog cannot do {statement}")

    def _create_location(self, name, url, credential, comment):
        name, credential = _plain(name), _plain(credential)
        if self.roles_unknown_for:
            self.roles_unknown_for -= 1
            raise SqlError(
                "[UC_CLOUD_STORAGE_ACCESS_FAILURE] Failed to access cloud storage: This request is not authorized "
                "to perform this operation using this permission., 403, AuthorizationPermissionMismatch"
            )
        if self.state["credentials"].get(credential, {}).get("purpose") != "STORAGE":
            raise SqlError(f"[CREDENTIAL_DOES_NOT_EXIST] Storage credential '{credential}' does not exist.")
        for other, held in self.state["locations"].items():
            if other != name and (_is_below(held["url"], url) or _is_below(url, held["url"])):
                raise SqlError(f"[LOCATION_OVERLAP] {url} overlaps with external location '{other}'.")
        new = {"url": url.rstrip("/"), "credential": credential, "comment": _text(comment), "owner": "deployer"}
        self.state["locations"].setdefault(name, new)

    def _create_catalog(self, name, url, comment):
        self._require_location(url)
        self._create("catalog", name, {"comment": _text(comment), "url": url.rstrip("/")})

    def _create_schema(self, name, comment):
        self._require("catalog", _plain(name).rpartition(".")[0])
        self._create("schema", name, {"comment": _text(comment)})

    def _create_volume(self, name, url, comment):
        self._require("schema", _plain(name).rpartition(".")[0])
        self._require_location(url)
        for catalog in self.state["catalog"].values():
            if _is_below(url, catalog["url"]) or _is_below(catalog["url"], url):
                raise SqlError("[LOCATION_OVERLAP] The volume overlaps with managed storage.")
        self._create("volume", name, {"comment": _text(comment), "url": url.rstrip("/")})

    def _create_table(self, name, columns, comment):
        self._require("schema", _plain(name).rpartition(".")[0])
        comments = dict(re.findall(rf"^\s*(\w+) .*? COMMENT {TEXT},?$", columns, flags=re.MULTILINE))
        described = {column: _text(text) for column, text in comments.items()}
        self._create("table", name, {"comment": _text(comment), "columns": described})

    def _create_function(self, name, parameters, returns, comment, body):
        self._require("schema", _plain(name).rpartition(".")[0])
        new = {"comment": _text(comment), "body": body, "parameters": parameters, "returns": returns}
        self.state["function"][_plain(name)] = new | {"owner": "deployer"}

    def _create_view(self, name, comment, query, table):
        self._require("schema", _plain(name).rpartition(".")[0])
        columns = self._require("table", _plain(table))["columns"]
        for function, argument in re.findall(r"((?:`\w+`\.){2}`\w+`)\(`(\w+)`\)", query):
            self._require("function", _plain(function))
            if argument not in columns:
                raise SqlError(f"[UNRESOLVED_COLUMN] {argument} of {table}.")
        self.state["view"][_plain(name)] = {"comment": _text(comment), "query": query, "owner": "deployer"}

    def _drop_function(self, name):
        used = [*self.state["filters"].values(), *self.state["masks"].values()]
        queries = [_plain(view["query"]) for view in self.state["view"].values()]
        if any(policy["function"] == _plain(name) for policy in used) or any(_plain(name) in q for q in queries):
            raise SqlError(f"[FUNCTION_IN_USE] {name} is used by a policy.")
        self.state["function"].pop(_plain(name), None)

    def drop_catalog(self, name):
        catalog = _plain(name)
        for kind in ("catalog", "schema", "volume", "table", "view", "function", "filters", "masks"):
            held = self.state[kind]
            for gone in [one for one in held if one == catalog or one.startswith(f"{catalog}.")]:
                del held[gone]
        for kind in ("tags", "grants"):
            held = self.state[kind]
            for gone in [
                one for one in held if re.match(rf"(catalog|schema|table|column|volume) {catalog}\b", one)
            ]:
                del held[gone]

    def drop_location(self, name):
        url = self.state["locations"].get(_plain(name), {}).get("url")
        users = [*self.state["catalog"].values(), *self.state["volume"].values()]
        if url and any(_is_below(user["url"], url) for user in users):
            raise SqlError(f"[EXTERNAL_LOCATION_IN_USE] {name} is in use.")
        self.state["locations"].pop(_plain(name), None)
        lost = [
            place for place in self.state["grants"] if place.startswith(f"external location {_plain(name)} to ")
        ]
        for place in lost:
            del self.state["grants"][place]

    def _owner(self, kind, name, owner):
        held = self._require(kind.lower(), _plain(name))
        self._require_principal(owner)
        held["owner"] = owner

    def _comment(self, kind, name, comment):
        self._require(kind.lower(), _plain(name))["comment"] = _text(comment)

    def _column_comment(self, name, column, comment):
        columns = self._require("table", _plain(name))["columns"]
        if _plain(column) not in columns:
            raise SqlError(f"[UNRESOLVED_COLUMN] {column} of {name}.")
        columns[_plain(column)] = _text(comment)

    def _set_credential(self, name, credential):
        self._require("external location", _plain(name))["credential"] = _plain(credential)

    def _drop_filter(self, name):
        if self.state["filters"].pop(_plain(name), None) is None:
            raise SqlError(f"[ROW_FILTER_NOT_FOUND] {name} has no row filter.")

    def _drop_mask(self, name, column):
        if self.state["masks"].pop(f"{_plain(name)}.{_plain(column)}", None) is None:
            raise SqlError(f"[COLUMN_MASK_NOT_FOUND] {name}.{column} has no mask.")

    def _tags(self, kind, name, column, verb, pairs):
        place = f"{kind.lower()} {_plain(name)}"
        self._require(kind.lower(), _plain(name))
        if column:
            if _plain(column) not in self.state["table"][_plain(name)]["columns"]:
                raise SqlError(f"[UNRESOLVED_COLUMN] {column} of {name}.")
            place = f"column {_plain(name)}.{_plain(column)}"
        held = self.state["tags"].setdefault(place, {})
        if verb == "SET":
            held.update({_text(tag): _text(value) for tag, value in re.findall(rf"{TEXT} = {TEXT}", pairs)})
        else:
            for tag in re.findall(TEXT, pairs):
                held.pop(tag, None)
        if not held:
            del self.state["tags"][place]

    def _grant(self, privileges, kind, name, principal):
        held = self._held_grants(privileges, kind, name, principal)
        held[:] = sorted({*held, *privileges.split(", ")})

    def _revoke(self, privileges, kind, name, principal):
        held = self._held_grants(privileges, kind, name, principal)
        held[:] = sorted({*held} - {*privileges.split(", ")})
        self.state["grants"] = {place: left for place, left in self.state["grants"].items() if left}

    def _held_grants(self, privileges, kind, name, principal):
        self._require(kind.lower(), _plain(name))
        self._require_principal(principal)
        wrong = {*privileges.split(", ")} - PRIVILEGES[kind.lower()]
        if wrong:
            raise SqlError(f"[INVALID_PRIVILEGE] {', '.join(wrong)} is not applicable to a {kind}.")
        return self.state["grants"].setdefault(f"{kind.lower()} {_plain(name)} to {principal}", [])

    def _create(self, kind, name, new):
        self.state[kind].setdefault(_plain(name), new | {"owner": "deployer"})

    def _require(self, kind, name):
        if kind == "service credential":
            credentials = self.state["credentials"].items()
            held = {one: content for one, content in credentials if content["purpose"] == "SERVICE"}
        else:
            held = self.state["locations" if kind == "external location" else kind]
        if name not in held:
            raise SqlError(f"[{kind.upper().replace(' ', '_')}_NOT_FOUND] {name} cannot be found.")
        return held[name]

    def _require_location(self, url):
        if not any(_is_below(url, held["url"]) for held in self.state["locations"].values()):
            raise SqlError(f"[NO_PARENT_EXTERNAL_LOCATION] No external location covers {url}.")

    def _require_principal(self, principal):
        if principal not in self.groups and not re.fullmatch(r"[0-9a-f-]{36}", principal):
            raise SqlError(f"[PRINCIPAL_DOES_NOT_EXIST] Could not find principal {principal}.")

    # The information schema

    def _select(self, columns, view, column, catalog):
        names = [name.strip() for name in columns.split(",")]
        rows = [row for row in self._view(view) if column is None or row[column] == catalog]
        for row in rows:
            unknown = set(names) - set(row)
            if unknown:
                raise SqlError(f"[UNRESOLVED_COLUMN] {', '.join(unknown)} in {view}.")
        return names, [[row[name] for name in names] for row in rows]

    def _view(self, view):
        return {
            "external_locations": self._locations_view,
            "catalogs": self._catalogs_view,
            "schemata": self._schemata_view,
            "volumes": self._volumes_view,
            "tables": self._tables_view,
            "views": self._views_view,
            "columns": self._columns_view,
            "routines": self._routines_view,
            "row_filters": self._filters_view,
            "column_masks": self._masks_view,
        }.get(view, lambda: self._tags_or_privileges_view(view))()

    def _locations_view(self):
        for name, held in self.state["locations"].items():
            yield {
                "external_location_name": name,
                "external_location_owner": held["owner"],
                "url": f"{held['url']}/",
                "storage_credential_name": held["credential"],
                "comment": held["comment"],
            }

    def _catalogs_view(self):
        for name, held in self.state["catalog"].items():
            yield {"catalog_name": name, "catalog_owner": held["owner"], "comment": held["comment"]}

    def _schemata_view(self):
        for name, held in self.state["schema"].items():
            catalog, schema = name.split(".")
            yield {
                "catalog_name": catalog,
                "schema_name": schema,
                "schema_owner": held["owner"],
                "comment": held["comment"],
            }

    def _volumes_view(self):
        for name, held in self.state["volume"].items():
            yield _parts("volume", name) | {
                "volume_owner": held["owner"],
                "comment": held["comment"],
                "storage_location": held["url"],
            }

    def _tables_view(self):
        for name, held in [*self.state["table"].items(), *self.state["view"].items()]:
            yield _parts("table", name) | {"table_owner": held["owner"], "comment": held["comment"]}

    def _views_view(self):
        for name, held in self.state["view"].items():
            yield _parts("table", name) | {"view_definition": held["query"]}

    def _columns_view(self):
        for name, held in self.state["table"].items():
            for column, comment in held["columns"].items():
                yield _parts("table", name) | {"column_name": column, "comment": comment}

    def _routines_view(self):
        for name, held in self.state["function"].items():
            yield _parts("routine", name) | {"routine_definition": held["body"], "comment": held["comment"]}

    def _filters_view(self):
        for name, held in self.state["filters"].items():
            catalog, schema, table = name.split(".")
            function = _parts("filter", held["function"])
            yield {
                "catalog_name": catalog,
                "schema_name": schema,
                "table_name": table,
                "filter_catalog": function["filter_catalog"],
                "filter_schema": function["filter_schema"],
                "filter_name": function["filter_name"],
                "filter_col_usage": ",".join(held["columns"]),
            }

    def _masks_view(self):
        for name, held in self.state["masks"].items():
            catalog, schema, table, column = name.split(".")
            yield {
                "catalog_name": catalog,
                "schema_name": schema,
                "table_name": table,
                "column_name": column,
            } | _parts("mask", held["function"])

    def _tags_or_privileges_view(self, view):
        kind, _, what = view.rpartition("_")
        kind = {"credential": "service credential"}.get(kind, kind.replace("_", " "))
        found = self.state["tags"] if what == "tags" else self.state["grants"]
        for place, held in found.items():
            owner, _, principal = place.partition(" to ")
            kind_here, _, name = owner.rpartition(" ")
            if kind_here != kind:
                continue
            row = _names(kind, name, what)
            if what == "tags":
                yield from ({**row, "tag_name": tag, "tag_value": value} for tag, value in held.items())
            else:
                for privilege in held:
                    yield {**row, "grantee": principal, "privilege_type": privilege, "inherited_from": "NONE"}
                    # A grant on a schema shows at its tables too, as inherited.
        if view == "table_privileges":
            for table in self.state["table"]:
                yield _parts("table", table) | {
                    "grantee": "somebody",
                    "privilege_type": "SELECT",
                    "inherited_from": "SCHEMA",
                }

    _STATEMENTS = (
        (
            rf"CREATE EXTERNAL LOCATION IF NOT EXISTS {NAME} URL {TEXT}\s+"
            rf"WITH \(STORAGE CREDENTIAL {NAME}\)\s+COMMENT {TEXT}",
            _create_location,
        ),
        (rf"CREATE CATALOG IF NOT EXISTS {NAME}\s+MANAGED LOCATION {TEXT}\s+COMMENT {TEXT}", _create_catalog),
        (rf"CREATE SCHEMA IF NOT EXISTS {NAME}\s+COMMENT {TEXT}", _create_schema),
        (rf"CREATE EXTERNAL VOLUME IF NOT EXISTS {NAME}\s+LOCATION {TEXT}\s+COMMENT {TEXT}", _create_volume),
        (
            rf"CREATE TABLE IF NOT EXISTS {NAME} \((.*?)\n\) USING delta(?:\nPARTITIONED BY \(\w+\))?\n"
            rf"COMMENT {TEXT}\nTBLPROPERTIES \(.*\)",
            _create_table,
        ),
        (
            rf"CREATE OR REPLACE FUNCTION {NAME}\(([^)]*)\)\s+RETURNS (\w+)\s+COMMENT {TEXT}\s+RETURN (.*)",
            _create_function,
        ),
        (
            rf"CREATE OR REPLACE VIEW {NAME}\s+COMMENT {TEXT}\s+AS (SELECT .+ FROM {NAME}(?: WHERE .+)?)",
            _create_view,
        ),
        (rf"DROP FUNCTION IF EXISTS {NAME}", _drop_function),
        (rf"ALTER (EXTERNAL LOCATION|CATALOG|SCHEMA|VOLUME|TABLE|VIEW) {NAME} OWNER TO `([^`]+)`", _owner),
        (rf"COMMENT ON (CATALOG|SCHEMA|VOLUME|TABLE) {NAME} IS {TEXT}", _comment),
        (rf"ALTER TABLE {NAME} ALTER COLUMN {NAME} COMMENT {TEXT}", _column_comment),
        (rf"ALTER EXTERNAL LOCATION {NAME} SET STORAGE CREDENTIAL {NAME}", _set_credential),
        (rf"ALTER TABLE {NAME} DROP ROW FILTER", _drop_filter),
        (rf"ALTER TABLE {NAME} ALTER COLUMN {NAME} DROP MASK", _drop_mask),
        (
            rf"ALTER (CATALOG|SCHEMA|TABLE|VOLUME) {NAME}(?: ALTER COLUMN {NAME})? (SET|UNSET) TAGS \((.+)\)",
            _tags,
        ),
        (rf"GRANT ([A-Z ,]+) ON ({GRANTED}) {NAME} TO `([^`]+)`", _grant),
        (rf"REVOKE ([A-Z ,]+) ON ({GRANTED}) {NAME} FROM `([^`]+)`", _revoke),
        (
            rf"SELECT ([\w, ]+) FROM system\.information_schema\.(\w+)(?: WHERE (\w+) = {TEXT})?",
            _select,
        ),
    )


def _is_below(url: str, folder: str) -> bool:
    return f"{url.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def _plain(name: str) -> str:
    return name.replace("`", "")


def _text(literal: str) -> str:
    return re.sub(r"\\(.)|'(')", r"\1\2", literal)


def _parts(prefix: str, name: str) -> dict[str, str]:
    catalog, schema, last = name.split(".")
    return {f"{prefix}_catalog": catalog, f"{prefix}_schema": schema, f"{prefix}_name": last}


def _names(kind: str, name: str, what: str) -> dict[str, str]:
    """The columns that name a securable, as the information schema calls them in tags and in privileges."""
    parts = name.split(".")
    if kind in ("external location", "service credential"):
        return {f"{kind.removeprefix('service ').replace(' ', '_')}_name": name}
    if kind in ("table", "volume") and what == "privileges":
        return _parts(kind, name)
    return dict(zip(("catalog_name", "schema_name", "table_name", "column_name"), parts, strict=False))
