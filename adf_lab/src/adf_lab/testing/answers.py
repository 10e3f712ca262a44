"""What activities answer, as the objects that a script holds (adf_lab/scripted.py)."""

from os import PathLike, fspath


class Answer(dict):
    """One answer of an activity: an object of a script, with two methods that return a changed copy."""

    def when(self, **conditions: object) -> "Answer":
        """Only for calls with this `item` of the loop, or with these members in their `input`; or with both."""
        return Answer(self | {"when": conditions})

    def after(self, seconds: float) -> "Answer":
        """After so many seconds of the run's clock."""
        return Answer(self | {"durationSeconds": seconds})


def succeeded(**output: object) -> Answer:
    """An activity succeeds; the members of its output by name."""
    return Answer(status="Succeeded", output=output)


def failed(message: str = "It was made to fail.", code: str = "Failed", **output: object) -> Answer:
    """An activity fails, with the message and code that `activity('x').error` shows."""
    return Answer(status="Failed", error={"errorCode": code, "message": message}, output=output)


def rows(found: "list[dict] | str | PathLike[str]") -> Answer:
    """A Lookup finds rows: a list of objects, or the path of a JSON file with one."""
    return Answer(
        status="Succeeded", **({"rows": found} if isinstance(found, list) else {"rowsFile": fspath(found)})
    )


def from_file(path: "str | PathLike[str]") -> Answer:
    """An activity succeeds with the output that is in a JSON file."""
    return Answer(status="Succeeded", outputFile=fspath(path))
