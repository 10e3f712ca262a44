"""The checker: everything that can be said about a factory without running it.

A rule is a function of a Factory that yields Findings; `check_factory` runs them all. What has the wrong shape
is reported once, by the types, and left out for the other rules. Inactive activities are
left out, as the service leaves them out of its validation.
"""

from pathlib import Path

from adf_lab.check import expressions, flow, limits, names, notebooks, secrets
from adf_lab.check.finding import Finding

RULES = [
    names.unreadable_files,
    names.names_disagree,
    names.broken_references,
    names.unused_resources,
    names.unused_declarations,
    expressions.bad_expressions,
    flow.circles,
    flow.forbidden_nesting,
    flow.green_failures,
    flow.variable_mistakes,
    flow.inactive_activities,
    limits.broken_limits,
    secrets.secrets_in_git,
    secrets.secrets_in_the_monitor,
]

__all__ = ["RULES", "Finding", "check_factory", "wrong_types"]


def check_factory(factory, notebook_folder=None, house_style=False):
    """All findings about a factory, in the order of files and paths, each once.

    `notebook_folder` holds the notebooks that its pipelines run; without it they are not checked.
    `house_style` adds the rules for names: the prefix of the kind, snake case.
    """
    # Imported here: the SDK's types take a second to load.
    from adf_lab.check import sdk_types

    findings = set(sdk_types.wrong_types(factory))
    factory = sdk_types.without_misfits(factory)
    findings |= {finding for rule in RULES for finding in rule(factory)}
    folder = Path(notebook_folder) if notebook_folder else None
    findings |= set(notebooks.wrong_notebooks(factory, folder))
    if house_style:
        findings |= set(names.house_names(factory))
    return sorted(findings)


def wrong_types(factory):
    """The findings about properties, types and enumerations alone; see sdk_types."""
    from adf_lab.check import sdk_types

    yield from sdk_types.wrong_types(factory)
