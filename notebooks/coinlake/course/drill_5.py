"""Exercises of the drill Follow a number: from a price to its bytes, and a file that is not what came."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from coinlake.course.exercise import DO, Exercise, Values


def place_of(body: bytes, coin: str) -> tuple[int, bytes]:
    """Where the digits of a coin's current price begin in a page, and the digits."""
    found = re.search(rb'"id":\s*"%s".*?"current_price":\s*([^,}\s]+)' % coin.encode(), body, re.DOTALL)
    if found is None:
        raise ValueError(f"{coin} has no price on this page.")
    return found.start(1), found[1]


def page_of(lake: Path) -> Path:
    """The newest page of the market."""
    return max((lake / "landing" / "endpoint=coins_markets").rglob("*.json"))


def judge_place(answer: Any, values: Values) -> str | None:
    """Looks into the page."""
    page = page_of(Path(values["given"]))
    body = page.read_bytes()
    coin = json.loads(body)[values["place"]]["id"]
    offset, digits = place_of(body, coin)
    if answer == offset:
        return None
    if isinstance(answer, int) and body[answer : answer + len(digits)] == digits:
        return "These digits are there, but of another field or coin: begin the search at the id."
    if answer == len(body[:offset].decode()):
        return "That counts characters, of which some take several bytes: search in the bytes."
    return f"At that place of the body stands {body[int(answer) : int(answer) + 12]!r}."


def judge_spoilt(answer: Any, values: Values) -> str | None:
    """Compares with the one file whose fingerprint is not that of its line in the log."""
    lake = Path(values["given"])
    lines = [
        json.loads(line)
        for meta in (lake / "landing_meta").rglob("*.jsonl")
        for line in meta.read_bytes().splitlines()
    ]
    spoilt = [
        line["file"]
        for line in lines
        if line["file"]
        and line["outcome"] == "landed"
        and hashlib.sha256((lake / "landing" / line["file"]).read_bytes()).hexdigest() != line["sha256"]
    ]
    if str(answer) in spoilt or Path(str(answer)).as_posix().endswith(tuple(spoilt)):
        return None
    return "That file is byte for byte what came: compare the SHA-256 of each body with that of its line."


EXERCISES = (
    Exercise(
        number="D5.1",
        kind=DO,
        idea="find the bytes that a price is made of",
        judge=judge_place,
        draw=lambda chance: {"place": chance.randint(1, 9)},
        hints=(
            "body.index(b'…') finds bytes, body.index(b'…', begin) those after a place.",
            "First the coin's id, then b'\"current_price\":' after it; the digits begin where that text ends.",
        ),
        solution="""
            begin = body.index(b'"id":"' + coin["id"].encode() + b'"')
            offset = body.index(b'"current_price":', begin) + len(b'"current_price":')
        """,
    ),
    Exercise(
        number="D5.2",
        kind=DO,
        idea="find the file that is not what came",
        judge=judge_spoilt,
        draw=lambda chance: {"place": chance.randint(0, 6)},
        hints=(
            "Each line of the log has `file` and `sha256`; landing.body_path(line) is the body's path.",
            "hashlib.sha256(landing.body_path(line).read_bytes()).hexdigest() != line['sha256']",
        ),
        solution="""
            for line in lines:
                if hashlib.sha256(landing.body_path(line).read_bytes()).hexdigest() != line["sha256"]:
                    spoilt = line["file"]
        """,
    ),
)
