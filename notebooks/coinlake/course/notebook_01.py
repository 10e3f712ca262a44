"""Exercises of notebook 01: what a parser loses, what an answer is, and a run that is whole or not there."""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coinlake.course.exercise import PREDICT, WRITE, Case, Exercise, Values, tried_on

KEEP, AGAIN, GO_ON, STOP = "keep", "ask again", "go on", "stop"
QUOTA = b'{"status": {"error_code": 10006, "error_message": "Monthly limit reached."}}'
BODIES = {"p0001.json": b"[1]", "p0002.json": b"[2]", "p0003.json": b"[3]"}


def judge_what_is_left(answer: Any, values: Values) -> str | None:
    """Compares with what Python's parser gives back, blanks apart."""
    said = str(answer).strip().strip("'").replace(" ", "")
    expected = json.dumps(json.loads(values["came"])).replace(" ", "")
    if said == expected:
        return None
    if said.count('"rank"') != 1:
        return "A dictionary has each key once: of two fields of one name the last one is left."
    if values["price"] in said:
        return "The parser makes a number of the digits, and writes that number anew in its own way."
    return "Go through the text from the left: which number is written anew, which field is left?"


class PluggedOff(dict[str, bytes]):
    """Bodies of which only the first can be had: then the power fails."""

    def items(self) -> Any:
        """The first body, and then the end of everything."""
        yield next(iter(BODIES.items()))
        raise KeyboardInterrupt


def judge_publish(publish: Any, values: Values) -> str | None:
    """Pulls the plug in the middle of a run, looks at what a reader would find, and lets the run be repeated."""
    with TemporaryDirectory() as folder:
        target = Path(folder, "landing", "run=1")
        with suppress(KeyboardInterrupt):
            publish(PluggedOff(BODIES), target)
        if target.exists():
            there = len([*target.iterdir()])
            return (
                f"After the power failed at the second file, readers find {there} of 3 files in the run's folder."
            )
        publish(BODIES, target)
        found = {file.name: file.read_bytes() for file in target.iterdir()} if target.exists() else {}
        if found != BODIES:
            return f"Asked again, the run should hold its three files; it holds {sorted(found)}."
    return None


EXERCISES = (
    Exercise(
        number="01.1",
        kind=PREDICT,
        idea="see what a parser loses",
        judge=judge_what_is_left,
        draw=lambda chance: {
            "price": (price := f"{chance.randint(1, 9)}.{chance.randint(1, 9)}0e-0{chance.randint(5, 8)}"),
            "came": f'{{"price": {price}, "rank": {chance.randint(2, 9)}, "rank": {chance.randint(10, 99)}}}',
        },
        question="What does json.dumps(json.loads(came)) give for came = '{came}'?",
        hints=(
            "The example of the section 'Why bytes' has both: a number with a zero at its end, a name twice.",
            "Write the object with one price, without its last zero, and with the last of the two ranks.",
        ),
        solution="""
            answer = json.dumps(json.loads('<came>'))
        """,
    ),
    Exercise(
        number="01.2",
        kind=WRITE,
        idea="tell data from errors, and decide what a polite client does next",
        judge=tried_on(
            Case((200, b'[{"id": "bitcoin"}]'), KEEP, "A whole answer with data is kept."),
            Case(
                (200, b'{"data": {"markets": 3}}'), KEEP, "An answer may be an object: that is no error by itself."
            ),
            Case((200, b'[{"id": "bitc'), AGAIN, "A body that is cut off is no data, whatever the status says."),
            Case(
                (200, b'{"status": {"error_code": 429, "error_message": "Slow down."}}'),
                AGAIN,
                "A status of 200 does not make data of an error: look into the body.",
            ),
            Case(
                (503, b"<html>Service Unavailable</html>"), AGAIN, "A server that is down may be up in a moment."
            ),
            Case((429, b"Throttled"), AGAIN, "A limited rate passes; its body need not be JSON."),
            Case((404, b'{"error": "coin not found"}'), GO_ON, "What is not there will not come by asking again."),
            Case(
                (429, QUOTA),
                STOP,
                "Error 10006 means that the month is used up: no other question will do better.",
            ),
            Case((200, QUOTA), STOP, "Error 10006 can come with a status of 200, too."),
        ),
        hints=(
            "Parse first, in try … except ValueError; an error is a dictionary `status` with an `error_code`.",
            "Then in this order: 10006 stops; status 200, parsed and without error_code, is kept; 200, 429 and "
            "5xx are asked again; for the rest go on.",
        ),
        solution="""
            def next_move(status, body):
                try:
                    parsed = json.loads(body)
                except ValueError:
                    parsed = None
                told = parsed.get("status") if isinstance(parsed, dict) else None
                error = told.get("error_code") if isinstance(told, dict) else None
                if error == 10006:
                    return "stop"
                if status == 200 and parsed is not None and error is None:
                    return "keep"
                return "ask again" if status in (200, 429) or status >= 500 else "go on"
        """,
    ),
    Exercise(
        number="01.3",
        kind=WRITE,
        idea="make a run visible whole or not at all",
        judge=judge_publish,
        hints=(
            "Write into another folder beside the target, and let that take the target's name at the very end.",
            "path.rename(target) is one step for the file system. What an interrupted run left in the other "
            "folder may be there already: mkdir(parents=True, exist_ok=True).",
        ),
        solution="""
            def publish(files, target):
                staging = target.with_name(target.name + ".staging")
                staging.mkdir(parents=True, exist_ok=True)
                for name, content in files.items():
                    (staging / name).write_bytes(content)
                staging.rename(target)
        """,
    ),
)
