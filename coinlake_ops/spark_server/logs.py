"""What a program said last: the part of its output that an error message shows."""


def last_words(text: str, lines: int = 5) -> str:
    """The last lines of a text, or `(nothing)`."""
    return "\n".join(line for line in text.strip().splitlines()[-lines:]) or "(nothing)"
