"""The table of rules is well-formed: names, tables, severities, and SQL that parses."""

from collections import Counter

import pytest
import sqlglot

from coinlake import schema, silver
from coinlake.silver import expectations


def test_a_rule_names_one_breach_of_one_table():
    repeated = Counter((rule.table, rule.name) for rule in silver.EXPECTATIONS)
    assert {key for key, count in repeated.items() if count > 1} == set()
    of_silver = {table.name for table in schema.TABLES if table.schema == schema.CLEANED} | {"responses"}
    assert {rule.table for rule in silver.EXPECTATIONS} - {expectations.ANY_TABLE} <= of_silver - {"quarantine"}
    assert {rule.severity for rule in silver.EXPECTATIONS} == {expectations.REJECT, expectations.WARN}


def test_only_a_table_with_a_column_for_warnings_has_rules_that_warn():
    warned = {rule.table for rule in silver.EXPECTATIONS if rule.severity == expectations.WARN}
    assert warned == {table.name for table in schema.TABLES if "warnings" in table.column_names}


@pytest.mark.parametrize("rule", silver.EXPECTATIONS, ids=lambda rule: f"{rule.table}-{rule.name}")
def test_a_rule_says_what_must_be_true_in_words_and_in_sql(rule):
    assert rule.condition.endswith(".") and rule.condition[0].isupper()
    assert rule.name.replace("_", "").isalpha() and rule.name.islower()
    sqlglot.parse_one(rule.expression, dialect="spark")


def test_rules_are_found_by_table_and_severity():
    assert [rule.name for rule in expectations.expectations_of("fear_greed", expectations.REJECT)] == [
        "date_missing",
        "value_impossible",
        "label_missing",
    ]
    assert expectations.expectations_of("fear_greed", expectations.WARN) == ()
