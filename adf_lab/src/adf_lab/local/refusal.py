"""Refusing what cannot be done on this machine, in one voice; nothing is ever ignored in silence."""

from adf_lab.engine import ActivityFailure

WAY_OUT = "give its result with --script FILE --mixed"


def refuse_unknown(what, properties, known):
    """ActivityFailure if an object has properties that an executor does not know, and that ask for something."""
    unknown = sorted(
        name for name, value in properties.items() if name not in known and value not in (None, "", [], {}, False)
    )
    if unknown:
        raise not_supported(f"{what} with {', '.join(unknown)}")


def not_supported(what):
    """The failure of something that Data Factory can do and this machine cannot."""
    return ActivityFailure("NotSupportedHere", f"{what} cannot be done on this machine: {WAY_OUT}.")


def one_of(what, value, known):
    """The entry of a table for a value; ActivityFailure if there is none."""
    if value not in known:
        raise not_supported(f"{what} '{value}'")
    return known[value]
