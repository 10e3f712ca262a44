"""Data Factory's expression language: parse, check and evaluate.

Source of all rules: azure-docs, control-flow-expression-language-functions.
"""

from coinlake_ops.adf.expressions.errors import ExpressionError
from coinlake_ops.adf.expressions.evaluation import Context, evaluate, evaluate_tree, is_expression
from coinlake_ops.adf.expressions.functions.scopes import MISSING

__all__ = ["MISSING", "Context", "ExpressionError", "evaluate", "evaluate_tree", "is_expression"]
