"""The table of rules is well-formed: names, tables, severities, and SQL that parses."""

from collections import Counter

import pytest
import sqlglot

from coinlake import rules, tables


def test_a_rule_names_one_breach_of_one_table():
    repeated = Counter((rule.table, rule.name) for rule in rules.RULES)
    assert {key for key, count in repeated.items() if count > 1} == set()
    silver = {table.name for table in tables.TABLES if table.schema == tables.CLEANED} | {"responses"}
    assert {rule.table for rule in rules.RULES} - {rules.ANY_TABLE} <= silver - {"quarantine"}
    assert {rule.severity for rule in rules.RULES} == {rules.REJECT, rules.WARN}


def test_only_a_table_with_a_column_for_warnings_has_rules_that_warn():
    warned = {rule.table for rule in rules.RULES if rule.severity == rules.WARN}
    assert warned == {table.name for table in tables.TABLES if "warnings" in table.column_names}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: f"{rule.table}-{rule.name}")
def test_a_rule_says_what_must_be_true_in_words_and_in_sql(rule):
    assert rule.condition.endswith(".") and rule.condition[0].isupper()
    assert rule.name.replace("_", "").isalpha() and rule.name.islower()
    sqlglot.parse_one(rule.expression, dialect="spark")


def test_rules_are_found_by_table_and_severity():
    assert [rule.name for rule in rules.of("fear_greed", rules.REJECT)] == [
        "date_missing",
        "value_impossible",
        "label_missing",
    ]
    assert rules.of("fear_greed", rules.WARN) == ()
