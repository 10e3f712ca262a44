"""From any row of silver, gold or the warehouse back to the raw responses that it is made from.

`ask` reads what is typed, `follow` goes from the row to the rows that it is made from and on to the answers, whose
bytes it compares with the response log; `in_words` shows the trail as a tree, `as_json` to machines. What a row is
made from is declared for each table in `coinlake_ops.trace.origins`.
"""

from coinlake_ops.trace.origins import ORIGINS, OWN, VIEWS
from coinlake_ops.trace.questions import Question, ask
from coinlake_ops.trace.trail import Answer, Node, Trail, follow, sources
from coinlake_ops.trace.words import as_json, in_words

__all__ = [
    "ORIGINS",
    "OWN",
    "VIEWS",
    "Answer",
    "Node",
    "Question",
    "Trail",
    "as_json",
    "ask",
    "follow",
    "in_words",
    "sources",
]
