"""A trail as a tree for people, and as JSON for machines."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from coinlake.findings import seen
from coinlake_ops.trace.trail import Answer, Node, Trail

# A person looks at a few answers; JSON has them all.
SHOWN = 3


def as_json(trail: Trail) -> dict[str, Any]:
    """The trail as plain data: every node and every answer."""
    return {
        "table": trail.name,
        "key": dict(trail.key),
        "row": dict(trail.row),
        "made_from": asdict(trail.node),
        "is_whole": trail.is_whole,
        "problems": list(trail.problems),
    }


def in_words(trail: Trail) -> str:
    """The trail as a short tree: the row, what it is made from, and the first few answers of each table."""
    lines = [f"{trail.name}  {' '.join(f'{name}={value}' for name, value in trail.key.items())}"]
    lines += [
        f"  {name} = {value}" for name, value in trail.row.items() if name not in trail.key and value is not None
    ]
    lines += _behind(trail.node, "")
    lines.append("")
    if trail.is_whole:
        lines.append(
            "Every file has the SHA-256 that the response log holds." if _has_bytes(trail.node) else "No answer."
        )
    else:
        lines += [f"✗ {problem}" for problem in trail.problems]
    return "\n".join(map(seen, lines))


def _behind(node: Node, before: str) -> Iterator[str]:
    """The lines of all that stands behind a node; `before` is what a line begins with."""
    branches: list[tuple[str, Node | None, list[str]]] = []
    for answer in node.answers[:SHOWN]:
        branches.append((_headline(answer), None, _details(answer)))
    if len(node.answers) > SHOWN:
        branches.append((f"and {len(node.answers) - SHOWN} more answers (--json lists all)", None, []))
    branches += [(f"unknown: {said}", None, []) for said in node.unknown]
    branches += [(f"made by {node.own}", None, [])] if node.own else []
    branches += [(f"{each.table}: {_counted(each.rows, 'row')}, {each.words}", each, []) for each in node.nodes]
    for place, (line, behind, details) in enumerate(branches):
        is_last = place == len(branches) - 1
        yield f"{before}{'└─' if is_last else '├─'} {line}"
        inner = before + ("   " if is_last else "│  ")
        yield from (f"{inner}{detail}" for detail in details)
        if behind is not None:
            yield from _behind(behind, inner)


def _headline(answer: Answer) -> str:
    folder = "landing" if answer.outcome == "landed" else "landing_errors"
    body = f"{folder}/{answer.file}" if answer.file else f"{answer.endpoint}, page {answer.page}: no body came"
    return f"{body}  ({_counted(answer.rows, 'row')})"


def _details(answer: Answer) -> list[str]:
    bytes_ = "no body" if answer.file is None else "verified" if answer.problem is None else "NOT VERIFIED"
    return [
        answer.url,
        f"fetched {answer.fetched_at} by run {answer.landing_run}, status {answer.status}, {answer.source}",
        f"sha256 {answer.sha256}, {bytes_}",
    ]


def _has_bytes(node: Node) -> bool:
    return any(answer.file for answer in node.answers) or any(map(_has_bytes, node.nodes))


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
