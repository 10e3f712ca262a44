"""Generated calls come out as Microsoft's own evaluator has them, where it can be installed.

ADF_LAB_EVALUATOR names a Python whose environment has data-factory-testing-framework and the .NET that it needs.
"""

import json
import os
import random
import subprocess

import pytest

from adf_lab.expressions import Context, ExpressionError, evaluate
from adf_lab.expressions.registry import FUNCTIONS

CALLS = 3000
SEED = 20260812

EVALUATOR = """
import json, sys
from data_factory_testing_framework._pythonnet.data_factory_testing_framework_expressions_evaluator import (
    DataFactoryTestingFrameworkExpressionsEvaluator as Evaluator,
)
from data_factory_testing_framework.state import PipelineRunState

def value(text):
    try:
        return {"value": Evaluator.evaluate(text, PipelineRunState())}
    except Exception:
        return {}

json.dump([value(text) for text in json.load(sys.stdin)], sys.stdout)
"""

LITERALS = {
    "null": ["null"],
    "boolean": ["true", "false"],
    "integer": ["-3", "0", "1", "2", "7", "100"],
    # None that its reader of dates takes for month and day.
    "float": ["0.5", "-0.25", "20.125"],
    "string": [
        *("''", "'abc'", "'aBc aBc'", "' x '", "'a,b,,c'", "'it''s'", "'12'", "'-7'", "'true'", "'b'", "','"),
        *("'2026-03-01T10:20:30Z'", "'2024-02-29'", "'2026-12-31T23:59:59.5000000Z'", "'yyyy-MM-dd'", "'Day'"),
        *("'Hour'", "'YWJj'", "'a%20b'", "'[1, 2]'", "'{\"a\": 1}'", "'UTC'"),
    ],
    "array": ["createArray()", "createArray(1, 2, 3)", "createArray('a', 'b', 'a')", "json('[[1], \"x\", null]')"],
    "object": ["json('{}')", 'json(\'{"a": 1, "b": [2]}\')'],
}
# By the name of a parameter: what comes out alike in every culture that .NET may have on a machine.
OF_A_CULTURE = {"format": ["'yyyy-MM-dd'", "'o'", "'s'", "'u'"], "locale": ["'en-us'"]}
# What is random or tells the time, what gives an XML document, not JSON, and what orders texts, which .NET does by
# the culture of the machine.
LEFT_OUT = {
    *("guid", "rand", "utcnow", "getfuturetime", "getpasttime", "xml", "xpath"),
    *("less", "lessorequals", "greater", "greaterorequals"),
}


def generated(draw, depth=2):
    """The text of a call with arguments of the kinds that it takes, mostly."""
    function = draw.choice(DRAWN)
    count = draw.randint(function.least, function.least + 2 if function.most is None else function.most)
    return f"{function.name}({', '.join(_argument(draw, function, index, depth) for index in range(count))})"


def _argument(draw, function, index, depth):
    name = function.parameter(index).name
    if name in OF_A_CULTURE:
        return draw.choice(OF_A_CULTURE[name])
    kinds = sorted(function.parameter(index).kinds) if draw.random() < 0.95 else sorted(LITERALS)
    if depth and draw.random() < 0.25:
        return generated(draw, depth - 1)
    return draw.choice(LITERALS[draw.choice(kinds)])


DRAWN = [
    function
    for name, function in sorted(FUNCTIONS.items())
    if not function.needs_context and name not in LEFT_OUT and (function.parameters or name in ("true", "null"))
]


def own(text):
    try:
        return {"value": json.loads(json.dumps(evaluate(text, Context())))}
    except ExpressionError:
        return {}


def test_generated_calls_are_those_of_microsoft_s_evaluator():
    evaluator = os.environ.get("ADF_LAB_EVALUATOR")
    if not evaluator:
        pytest.skip("ADF_LAB_EVALUATOR does not name a Python with Microsoft's evaluator")
    draw = random.Random(SEED)
    texts = [f"@{generated(draw)}" for _ in range(CALLS)]
    asked = subprocess.run(
        [evaluator, "-c", EVALUATOR], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    theirs = json.loads(asked.stdout)
    assert [(text, own(text)) for text in texts] == list(zip(texts, theirs, strict=True))
