"""The checker: everything that can be said about a factory without running it.

A group of rules is a function of a Factory that yields Findings; `check_factory` runs them all. What has the
wrong shape is reported once, by the types, and left out for the other rules. Inactive activities are
left out, as the service leaves them out of its validation.
"""

from pathlib import Path

from adf_lab.check import expressions, flow, kinds, limits, names, notebooks, secrets, triggers
from adf_lab.check.finding import Finding, note
from adf_lab.check.places import located
from adf_lab.check.report import FORMATS, rules_page, rules_table
from adf_lab.check.rules import RULES, SEVERITIES, Rule
from adf_lab.check.settings import Settings, read_settings
from adf_lab.check.triggers import trigger_mistakes

GROUPS = [
    names.unreadable_files,
    names.names_disagree,
    names.global_parameter_names,
    names.house_names,
    names.broken_references,
    names.unused_resources,
    names.unused_declarations,
    expressions.bad_expressions,
    expressions.missing_at,
    flow.circles,
    flow.forbidden_nesting,
    flow.dependencies,
    flow.cases,
    flow.green_failures,
    flow.variable_mistakes,
    flow.inactive_activities,
    kinds.parameter_kinds,
    kinds.variable_kinds,
    kinds.dataset_services,
    kinds.copy_types,
    kinds.web_bodies,
    limits.broken_limits,
    triggers.trigger_mistakes,
    secrets.secrets_in_git,
    secrets.secrets_in_the_monitor,
]

# What they look at has other properties in Fabric, and refers to others by their ids.
NOT_OF_FABRIC = {names.broken_references, kinds.dataset_services, kinds.copy_types, kinds.web_bodies}

# What a finding brings with it in its file; told once it is repaired, if it is still there then.
CONSEQUENCES = {
    "activity-name": {"unknown-activity", "unknown-dependency"},
    "file-name": {"unused-resource"},
    "dataset-linked-service": {"parameter-missing", "parameter-not-declared", "unused-declaration"},
    "repeated-activity": {"activity-order", "unknown-dependency", "unknown-output"},
}

__all__ = [
    "FORMATS",
    "RULES",
    "SEVERITIES",
    "Finding",
    "Rule",
    "Settings",
    "check_factory",
    "read_settings",
    "rules_page",
    "rules_table",
    "trigger_mistakes",
    "wrong_types",
]


def check_factory(factory, notebook_folder=None, house_style=False, settings=None):
    """All findings about a factory, in the order of files and lines, each once.

    `notebook_folder` holds the notebooks that its pipelines run; without it they are not checked. `house_style`
    adds the house rules. `settings` say more exactly what is looked at; without them that is every rule, the
    factory's own `.adf-lab.yml` unread.
    """
    # Imported here: the SDK's types take a second to load.
    from adf_lab.check import sdk_types

    settings = settings or Settings(house_rules=house_style)
    findings = set(_of_fabric(factory) if factory.of_fabric else sdk_types.wrong_types(factory))
    factory, unshaped = sdk_types.without_misfits(factory)
    groups = [group for group in GROUPS if not factory.of_fabric or group not in NOT_OF_FABRIC]
    found = {finding for group in groups for finding in group(factory)}
    found |= set(notebooks.wrong_notebooks(factory, Path(notebook_folder) if notebook_folder else None))
    # Where something was left out, paths count wrong and what is missing may only be unreadable.
    findings |= {finding for finding in found if finding.file not in unshaped}
    return located(settings.choose(_causes(findings)), factory, unshaped)


def _of_fabric(factory):
    what = "of a pipeline of Fabric only names, flow, expressions and secrets are looked at."
    return [note(resource.file, "properties.activities", what) for resource in factory.all_resources]


def _causes(findings):
    """The findings without those that another one in their file brings with it."""
    brought = {(finding.file, rule) for finding in findings for rule in CONSEQUENCES.get(finding.rule, ())}
    return [finding for finding in findings if (finding.file, finding.rule) not in brought]


def wrong_types(factory):
    """The findings about properties, types and enumerations alone; see sdk_types."""
    from adf_lab.check import sdk_types

    yield from sdk_types.wrong_types(factory)
