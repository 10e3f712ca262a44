"""What a program said last: the part of its output that an error message shows."""

import re

# A stack of Java: where an error was raised, which says nothing of why.
FRAME = re.compile(r"\s+(?:at \S|\.\.\. \d+ )")


def last_words(text: str, lines: int = 5) -> str:
    """The last lines of a text that are no frames of a stack, or `(nothing)`."""
    said = [line for line in text.strip().splitlines() if not FRAME.match(line)]
    return "\n".join(said[-lines:]) or "(nothing)"
