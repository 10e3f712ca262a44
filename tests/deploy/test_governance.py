"""Unity Catalog as code: the SQL, who may do what by it, and what the catalog says of itself."""

import re

import pytest
import yaml

from coinlake import schema
from coinlake.errors import CoinlakeError
from coinlake_ops import cli
from coinlake_ops.deploy import deployment
from coinlake_ops.desired_state import Item
from coinlake_ops.governance import access, live, model, statements
from tests.support import environment
from tests.support.fake_unity_catalog import FakeUnityCatalog, SqlError

ALL_TABLES = schema.TABLES
PIPELINE = "0e0e0e0e-0000-0000-0000-000000000000"


def setting(kind="dev"):
    return model.Setting(
        environment=kind,
        catalog=f"coinlake_{kind}",
        tables="abfss://tables@st.dfs.core.windows.net/",
        files="abfss://lake@st.dfs.core.windows.net/",
        staging="abfss://staging@st.dfs.core.windows.net/",
        sql_credential=f"coinlake_{kind}_sql",
        access_connector_id="/subscriptions/s/connector",
        principals={
            "platform": "platform",
            "engineers": "engineers",
            "analysts": "analysts",
            "pipeline": PIPELINE,
        },
    )


@pytest.fixture
def metastore():
    """A metastore that has the credentials, which only the API makes."""
    fake = FakeUnityCatalog({"platform", "engineers", "analysts"})
    fake.state["credentials"] = {
        "coinlake_dev": {"purpose": "STORAGE"},
        "coinlake_dev_sql": {"purpose": "SERVICE"},
    }
    return fake


def query(metastore):
    def rows(statement):
        columns, found = metastore.run(statement)
        return [dict(zip(columns, row, strict=True)) for row in found]

    return rows


def test_the_script_builds_an_empty_metastore_and_runs_twice(metastore, monkeypatch):
    monkeypatch.setattr(schema, "TABLES", ALL_TABLES)
    for _ in range(2):
        for statement in statements.script(model.desired(setting())).split(";\n"):
            lines = [line for line in statement.splitlines() if not line.startswith("--")]
            if any(lines):
                metastore.run("\n".join(lines).strip())
    desired = model.desired(setting())
    found = {item.key: item for item in live.read(query(metastore), desired, "coinlake_dev")}
    assert found == {item.key: item for item in desired if not item.kind.endswith(" credential")}


@pytest.mark.parametrize("kind", ["dev", "prod"])
def test_the_script_can_be_read_before_anything_is_filled_in(kind, capsys):
    assert cli.main(["governance", "render", "--environment", kind]) == 0
    text = capsys.readouterr().out
    assert f"TO `<application id of adf-coinlake-{kind}>`;" in text
    assert "/subscriptions/<subscription id>/" in text


def test_the_statements_as_a_person_reads_them():
    text = statements.script(model.desired(setting()))
    assert text.startswith(
        "-- The storage credential coinlake_dev is made through the API, for /subscriptions/s/connector.\n"
    )
    for expected in (
        "CREATE CATALOG IF NOT EXISTS `coinlake_dev`\nMANAGED LOCATION 'abfss://tables@st.dfs.core.windows.net/'\n",
        "CREATE EXTERNAL VOLUME IF NOT EXISTS `coinlake_dev`.`raw_data`.`lake`\n"
        "LOCATION 'abfss://lake@st.dfs.core.windows.net/'\n",
        "ALTER SCHEMA `coinlake_dev`.`raw_data` OWNER TO `platform`;",
        "CREATE OR REPLACE FUNCTION `coinlake_dev`.`policies`.`only_landed`(outcome STRING)\nRETURNS BOOLEAN\n"
        "COMMENT 'Rows of the request log that are data; all rows for those who run the pipeline.'\n"
        "RETURN outcome = 'landed' OR is_account_group_member('platform') OR is_account_group_member('engineers') "
        f"OR session_user() = '{PIPELINE}';",
        "CREATE OR REPLACE VIEW `coinlake_dev`.`shared_data`.`responses`\n"
        "COMMENT 'The log of requests, of responses that are data, without headers.'\nAS SELECT `landing_run`, ",
        "`coinlake_dev`.`policies`.`for_operators`(`headers`) AS `headers`, ",
        " FROM `coinlake_dev`.`raw_data`.`responses` WHERE `coinlake_dev`.`policies`.`only_landed`(`outcome`);",
        "ALTER VIEW `coinlake_dev`.`shared_data`.`responses` OWNER TO `platform`;",
        "-- The service credential coinlake_dev_sql is made through the API, for /subscriptions/s/connector.\n",
        f"GRANT ACCESS ON SERVICE CREDENTIAL `coinlake_dev_sql` TO `{PIPELINE}`;",
        "ALTER TABLE `coinlake_dev`.`raw_data`.`responses` SET TAGS "
        "('key' = 'landing_run endpoint page attempt', 'layer' = 'bronze');",
        "GRANT SELECT, USE SCHEMA ON SCHEMA `coinlake_dev`.`shared_data` TO `analysts`;",
    ):
        assert expected in text


def test_the_comments_are_those_of_the_tables():
    items = {item.key: item.content for item in model.desired(setting())}
    for table in schema.TABLES:
        name = table.full_name("coinlake_dev")
        assert items["table", name]["comment"] == table.comment
        assert items["columns", name] == {column.name: column.comment for column in table.columns}


# Who, on which layer, may read tables, write tables, read files, write files. A layer that nobody names is closed.
EVERYTHING = ("read table", "write table", "read volume", "write volume")
MATRIX = {
    "dev": {
        ("analysts", "raw_data"): (),
        ("analysts", "cleaned_data"): (),
        ("analysts", "aggregated_data"): (),
        ("analysts", "shared_data"): ("read table",),
        ("engineers", "raw_data"): EVERYTHING,
        ("engineers", "cleaned_data"): ("read table", "write table"),
        ("engineers", "aggregated_data"): ("read table", "write table"),
        (PIPELINE, "raw_data"): EVERYTHING,
        (PIPELINE, "cleaned_data"): ("read table", "write table"),
        (PIPELINE, "aggregated_data"): ("read table", "write table"),
        ("strangers", "aggregated_data"): (),
    },
    "prod": {
        ("analysts", "shared_data"): ("read table",),
        ("engineers", "raw_data"): ("read table", "read volume"),
        ("engineers", "cleaned_data"): ("read table",),
        ("engineers", "aggregated_data"): ("read table",),
        (PIPELINE, "raw_data"): EVERYTHING,
    },
}


def _granted_by(text):
    """The grants of a script, read from its SQL and from nothing else."""
    pattern = r"^GRANT ([A-Z, ]+) ON (?:EXTERNAL |SERVICE )?\w+ (\S+) TO `(.+)`;$"
    return {
        access.Grant(securable.replace("`", ""), principal, privilege)
        for privileges, securable, principal in re.findall(pattern, text, flags=re.MULTILINE)
        for privilege in privileges.split(", ")
    }


@pytest.mark.parametrize("kind", MATRIX)
def test_who_may_do_what_with_each_layer(kind):
    granted, owned = (
        _granted_by(statements.script(model.desired(setting(kind)))),
        access.owners(model.desired(setting(kind))),
    )
    assert granted == access.grants(model.desired(setting(kind)))
    for (principal, layer), allowed in MATRIX[kind].items():
        securable = f"coinlake_{kind}.{layer}.anything"
        found = tuple(action for action in EVERYTHING if access.may(granted, owned, principal, action, securable))
        assert found == allowed, (principal, layer)


def test_an_analyst_reads_gold_and_through_views_what_is_not_all_for_analysts(monkeypatch):
    monkeypatch.setattr(schema, "TABLES", ALL_TABLES)
    granted, owned = _granted_by(statements.script(model.desired(setting()))), {}
    names = [table.qualified_name for table in ALL_TABLES]
    names += ["shared_data.responses", "shared_data.run_steps"]
    may_read = [
        name for name in names if access.may(granted, owned, "analysts", "read table", f"coinlake_dev.{name}")
    ]
    gold = [name for name in names if name.startswith("aggregated_data.")]
    gold.remove("aggregated_data.run_steps")
    assert may_read == [*gold, "shared_data.responses", "shared_data.run_steps"]


def test_who_may_do_what_can_be_printed(capsys):
    assert cli.main(["governance", "access", "--environment", "prod"]) == 0
    lines = [re.split(r"\s{2,}", line) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line[0] in ("coinlake-engineers", "coinlake-analysts")] == [
        ["coinlake-engineers", "coinlake_prod.raw_data", "read table, read volume"],
        ["coinlake-engineers", "coinlake_prod.cleaned_data", "read table"],
        ["coinlake-engineers", "coinlake_prod.aggregated_data", "read table"],
        ["coinlake-analysts", "coinlake_prod.shared_data", "read table"],
        ["coinlake-engineers", "folder", "CAN_READ"],
        ["coinlake-engineers", "job", "CAN_VIEW"],
        ["coinlake-engineers", "SQL warehouse", "CAN_USE"],
        ["coinlake-engineers", "dashboard", "CAN_READ"],
        ["coinlake-analysts", "job", "CAN_VIEW"],
        ["coinlake-analysts", "SQL warehouse", "CAN_USE"],
        ["coinlake-analysts", "dashboard", "CAN_READ"],
    ]


def test_the_engineers_of_production_cannot_sign_in_as_the_pipeline_does():
    assert {
        kind: {
            grant.principal
            for grant in _granted_by(statements.script(model.desired(setting(kind))))
            if grant.privilege == "ACCESS"
        }
        for kind in ("dev", "prod")
    } == {"dev": {PIPELINE, "engineers"}, "prod": {PIPELINE}}


def test_no_policy_stands_on_a_table_whose_changes_the_pipeline_reads(metastore):
    for statement in statements.script(model.desired(setting())).split(";\n"):
        assert " ROW FILTER " not in statement and " SET MASK " not in statement
    filters = {"coinlake_dev.raw_data.responses": {"function": "c.s.f", "columns": ["outcome"]}}
    masks = {"coinlake_dev.raw_data.responses.headers": {"function": "c.s.f"}}
    metastore.state |= {
        "catalog": {"coinlake_dev": {"comment": "", "owner": "o"}},
        "filters": filters,
        "masks": masks,
    }
    found = live.read(query(metastore), model.desired(setting()), "coinlake_dev")
    policies = [item for item in found if item.kind in ("row filter", "column mask")]
    assert [statement for item in policies for statement in statements.remove(item)] == [
        "ALTER TABLE `coinlake_dev`.`raw_data`.`responses` DROP ROW FILTER",
        "ALTER TABLE `coinlake_dev`.`raw_data`.`responses` ALTER COLUMN `headers` DROP MASK",
    ]


@pytest.mark.parametrize(
    ("granted", "owned", "expected"),
    [
        ({("c", "USE CATALOG"), ("c.s", "USE SCHEMA"), ("c.s.t", "SELECT")}, {}, True),
        ({("c", "USE CATALOG"), ("c", "USE SCHEMA"), ("c", "SELECT")}, {}, True),
        ({("c", "USE CATALOG"), ("c.s", "ALL PRIVILEGES")}, {}, True),
        ({("c.s", "USE SCHEMA"), ("c.s.t", "SELECT")}, {}, False),
        ({("c", "USE CATALOG"), ("c.s.t", "SELECT")}, {}, False),
        ({("c", "USE CATALOG"), ("c.s", "USE SCHEMA")}, {}, False),
        ({("c", "USE CATALOG"), ("c.s", "USE SCHEMA"), ("c.s", "BROWSE")}, {}, False),
        ({("c", "USE CATALOG"), ("c.s", "USE SCHEMA"), ("c.s.other", "SELECT")}, {}, False),
        ({("c", "USE CATALOG"), ("c.s", "USE SCHEMA")}, {"c.s.t": "me"}, True),
        ({("c", "USE CATALOG")}, {"c.s": "me"}, False),
        (set(), {"c.s.t": "me"}, False),
    ],
)
def test_the_rules_of_unity_catalog(granted, owned, expected):
    grants = {access.Grant(securable, "me", privilege) for securable, privilege in granted}
    assert access.may(grants, owned, "me", "read table", "c.s.t") is expected


def changed(tmp_path, change):
    document = yaml.safe_load(model.PATH.read_text(encoding="utf-8"))
    change(document)
    path = tmp_path / "model.yml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda m: m["schemas"].pop("cleaned_data"), "schemas: cleaned_data of coinlake.schema is missing."),
        (lambda m: m["schemas"].update(gold={"grants": {}}), "schemas: there is no gold in coinlake.schema."),
        (
            lambda m: m["table_grants"].update({"nothing": {}}),
            "table_grants: there is no schema nothing in coinlake.schema.",
        ),
        (
            lambda m: m["views"]["shared_data.responses"]["row_filter"].update(columns=["nothing"]),
            "views: shared_data.responses names the column nothing, which raw_data.responses lacks.",
        ),
        (
            lambda m: m["views"]["shared_data.run_steps"]["column_masks"].update(nothing="for_operators"),
            "views: shared_data.run_steps names the column nothing, which aggregated_data.run_steps lacks.",
        ),
        (
            lambda m: m["views"]["shared_data.responses"].update(table="raw_data.nothing"),
            "views: shared_data.responses shows raw_data.nothing, which is no table.",
        ),
        (
            lambda m: m["column_tags"].update({"raw_data.responses.nothing": {}}),
            "column_tags: there is no column raw_data.responses.nothing.",
        ),
        (lambda m: m["functions"].pop("only_landed"), "functions: only_landed is used but not defined."),
        (
            lambda m: m["catalog"]["grants"].update(everybody=["BROWSE"]),
            "grants: everybody is none of platform, engineers, analysts, pipeline.",
        ),
    ],
)
def test_a_model_that_names_what_is_not_there_is_refused(tmp_path, change, fault):
    with pytest.raises(CoinlakeError) as refused:
        model.desired(setting(), changed(tmp_path, change))
    assert str(refused.value).splitlines()[1:] == [f"  {fault}"]


def test_changes_are_the_smallest_statements():
    def put(kind, name, after, before):
        return statements.put(Item(kind, name, after), Item(kind, name, before))

    assert put("grants", "schema c.s to a b", ["SELECT", "USE SCHEMA"], ["MODIFY", "SELECT"]) == [
        "REVOKE MODIFY ON SCHEMA `c`.`s` FROM `a b`",
        "GRANT USE SCHEMA ON SCHEMA `c`.`s` TO `a b`",
    ]
    assert put("tags", "table c.s.t", {"a": "1", "b": "it's"}, {"a": "1", "z": "9"}) == [
        "ALTER TABLE `c`.`s`.`t` UNSET TAGS ('z')",
        r"ALTER TABLE `c`.`s`.`t` SET TAGS ('b' = 'it\'s')",
    ]
    assert put("columns", "c.s.t", {"a": "new", "b": "same"}, {"a": "old", "b": "same"}) == [
        "ALTER TABLE `c`.`s`.`t` ALTER COLUMN `a` COMMENT 'new'"
    ]
    schema = {"comment": "new", "owner": "o"}
    assert put("schema", "c.s", schema, {"comment": "old", "owner": "o"}) == ["COMMENT ON SCHEMA `c`.`s` IS 'new'"]


def test_a_volume_that_stands_elsewhere_is_not_moved_in_silence():
    after = Item("volume", "c.s.v", {"comment": "", "owner": "o", "location": "abfss://new"})
    before = Item("volume", "c.s.v", {"comment": "", "owner": "o", "location": "abfss://old"})
    with pytest.raises(CoinlakeError, match="stands in abfss://old, not in abfss://new, and cannot be moved"):
        statements.put(after, before)


def test_data_is_never_dropped_by_an_apply():
    for kind in ("catalog", "schema", "volume", "table", "columns", "external location"):
        with pytest.raises(KeyError):
            statements.remove(Item(kind, "c.s.t", {}))


@pytest.mark.parametrize(
    "statement",
    [
        "GRANT SELECT ON TABLE `c`.`s`.`missing` TO `analysts`",
        "CREATE SCHEMA IF NOT EXISTS `missing`.`s`\nCOMMENT ''",
        "CREATE CATALOG IF NOT EXISTS `c`\nMANAGED LOCATION 'abfss://nowhere'\nCOMMENT ''",
        "SELECT nonsense FROM",
        "COMMENT ON EXTERNAL LOCATION `l` IS ''",
    ],
)
def test_the_fake_refuses_what_unity_catalog_refuses(metastore, statement):
    with pytest.raises(SqlError):
        metastore.run(statement)


def test_a_stranger_to_the_account_gets_no_grant(metastore):
    for item in model.desired(setting()):
        for statement in statements.put(item, None):
            metastore.run(statement)
    with pytest.raises(SqlError, match="PRINCIPAL_DOES_NOT_EXIST"):
        metastore.run("GRANT SELECT ON SCHEMA `coinlake_dev`.`raw_data` TO `strangers`")


def test_diff_fails_on_drift_and_says_what_it_is(net, root, monkeypatch, capsys):
    monkeypatch.setattr(
        "coinlake_ops.environment.load", lambda name: (environment.DEV, environment.clients(root).parameters)
    )

    monkeypatch.setattr("coinlake_ops.deploy.Clients", lambda *_: environment.clients(root))
    deployment.apply(
        deployment.parts(environment.clients(root), ["resources", "compute", "secrets", "governance"]),
        lambda _: None,
    )
    assert cli.main(["governance", "diff", "--environment", "dev"]) == 0
    assert capsys.readouterr().out.endswith("\nNo drift.\n")
    grants = net.fakes["workspace"].state["unity"]["grants"]
    grants["schema coinlake_dev.cleaned_data to coinlake-analysts"] = ["SELECT"]
    assert cli.main(["governance", "diff", "--environment", "dev"]) == 1
    assert "- delete grants schema coinlake_dev.cleaned_data to coinlake-analysts" in capsys.readouterr().out
    assert cli.main(["governance", "apply", "--environment", "dev"]) == 0
    assert cli.main(["governance", "diff", "--environment", "dev"]) == 0
