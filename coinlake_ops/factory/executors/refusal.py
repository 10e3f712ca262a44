"""Refusing what is not known, in one voice."""

from adf_lab import ActivityFailure


def refuse_unknown(what, properties, known):
    """ActivityFailure if an object has properties that an executor does not know; nothing is ever ignored."""
    unknown = sorted(set(properties) - set(known))
    if unknown:
        raise not_supported(f"{what}: the properties {', '.join(unknown)}")


def not_supported(what):
    """The failure of something that Data Factory can do and this machine cannot."""
    return ActivityFailure("NotSupportedHere", f"{what}: not supported on this machine. Run it in Azure.")
