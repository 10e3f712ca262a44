"""What a check of a lake found: the layers say it in this form, and whoever asked them prints it.

A terminal obeys characters that nobody sees; what comes from outside is printed as `seen` writes it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One comparison of a layer with the one below it.

    layer: landing, silver, gold, warehouse. what: what was compared with what. compared: how many files, rows or
    values that were. problems: what differs, in words, with counts and examples; none where all is as it should
    be. mend: what to do about them.
    """

    layer: str
    what: str
    compared: int
    problems: tuple[str, ...] = ()
    mend: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether nothing differs."""
        return not self.problems


def counted(count: int, what: str, examples: list[str], most: int = 3) -> str:
    """A problem in words: how many, of what, and the first few of them."""
    shown = ", ".join(sorted(examples)[:most])
    return f"{count:,} {what}: {shown}" + (", …" if count > min(most, len(examples)) else "")


def seen(line: str) -> str:
    """A line in which every character is seen: control characters, marks of direction and the like as escapes."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
