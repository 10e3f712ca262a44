"""Data Factory's expression language: parse, check and evaluate.

Source of all rules: azure-docs, control-flow-expression-language-functions.
"""

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.evaluation import Context, evaluate, evaluate_tree, is_expression
from adf_lab.expressions.functions.scopes import MISSING
from adf_lab.expressions.instants import parse_instant
from adf_lab.expressions.references import WHOLE, references, variables_read
from adf_lab.expressions.registry import ANY
from adf_lab.expressions.syntax import Access, Call, Interpolation, Literal, parse
from adf_lab.expressions.typecheck import check_expression
from adf_lab.expressions.values import equal, kind_of, to_json, to_text
from adf_lab.expressions.zones import utc_candidates, windows_name, zone

__all__ = [
    "ANY",
    "MISSING",
    "WHOLE",
    "Access",
    "Call",
    "Context",
    "ExpressionError",
    "Interpolation",
    "Literal",
    "check_expression",
    "equal",
    "evaluate",
    "evaluate_tree",
    "is_expression",
    "kind_of",
    "parse",
    "parse_instant",
    "references",
    "to_json",
    "to_text",
    "utc_candidates",
    "variables_read",
    "windows_name",
    "zone",
]
