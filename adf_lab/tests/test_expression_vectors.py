"""Every case of expressions.jsonl gives what Data Factory gives."""

import pytest

from adf_lab.expressions import Context, ExpressionError, evaluate, kind_of, parse_instant
from adf_support.vectors import vectors

SCOPES = {
    "parameters": "parameters",
    "globalParameters": "global_parameters",
    "variables": "variables",
    "activities": "activities",
    "system": "system",
    "item": "item",
    "trigger": "trigger",
    "dataset": "dataset",
    "linkedService": "linked_service",
}


def context_of(case):
    scopes = {SCOPES[name]: value for name, value in case["context"].items() if name in SCOPES}
    if "now" in case["context"]:
        instant = parse_instant(case["context"]["now"])
        scopes["now"] = lambda: instant
    return Context(**scopes)


@pytest.mark.parametrize("case", vectors("expressions.jsonl"))
def test_vectors_of_expressions(case):
    if case["expectedType"] == "error":
        with pytest.raises(ExpressionError):
            evaluate(case["expression"], context_of(case))
        return
    value = evaluate(case["expression"], context_of(case))
    assert (kind_of(value), value) == (case["expectedType"], case["expected"])
