"""Expectations are well-formed: names, severities, and SQL that parses."""

from collections import Counter

import pytest
import sqlglot

from coinlake import schema, sources
from coinlake.silver.body_expectations import BODY_EXPECTATIONS
from coinlake.sources import REJECT, RESPONSE_LOG, SOURCES, WARN

STREAMS = {"landing_meta": RESPONSE_LOG, **SOURCES}
RULES = [
    *(pytest.param(rule, id=f"body-{rule.name}") for rule in BODY_EXPECTATIONS),
    *(
        pytest.param(rule, id=f"{name}-{rule.name}")
        for name, stream in STREAMS.items()
        for rule in stream.expectations
    ),
]


def test_an_expectation_names_one_breach_of_a_row():
    for name, stream in STREAMS.items():
        names = Counter(rule.name for rule in (*BODY_EXPECTATIONS, *stream.expectations))
        assert max(names.values()) == 1, name
        assert {rule.severity for rule in stream.expectations} <= {REJECT, WARN}, name
        assert any(rule.severity == REJECT for rule in stream.expectations), name
    assert {rule.severity for rule in BODY_EXPECTATIONS} == {REJECT}


def test_only_a_table_with_a_column_for_warnings_has_expectations_that_warn():
    warned = {
        stream.table.name
        for stream in STREAMS.values()
        if any(rule.severity == WARN for rule in stream.expectations)
    }
    assert warned == {table.name for table in schema.TABLES if "warnings" in table.column_names}


@pytest.mark.parametrize("rule", RULES)
def test_an_expectation_says_what_must_be_true_in_words_and_in_sql(rule):
    assert rule.condition.endswith(".") and rule.condition[0].isupper()
    assert rule.name.replace("_", "").isalpha() and rule.name.islower()
    sqlglot.parse_one(rule.expression, dialect="spark")


def test_every_table_of_silver_but_quarantine_is_written_by_a_source():
    of_silver = {table.name for table in schema.TABLES if table.schema == schema.CLEANED}
    written = {target.table.name for source in sources.SOURCES.values() for target in source.targets}
    assert written == of_silver - {"quarantine"}
