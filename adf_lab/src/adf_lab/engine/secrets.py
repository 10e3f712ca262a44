"""What must not be shown of a run: which names hold secrets, and the texts of these.

Secured are the outputs of activities with secureOutput, parameters of the type SecureString, and what is made of
them: variables, items of loops, return values. Source: azure-docs,
how-to-use-azure-key-vault-secrets-pipeline-activities; concepts-pipelines-activities ("Activity policy").
"""

from dataclasses import dataclass, field

from adf_lab.expressions import ExpressionError, parse, references
from adf_lab.structure import all_activities, own_type_properties

MASK = "*** secured ***"
SHORTEST = 4  # shorter texts are no secrets, and stand everywhere
SURE = 8  # so many letters of a secret are a part of it, and no accident


@dataclass
class Secrets:
    """The secrets of one pipeline run.

    `names` are pairs of scope (activity, variables, parameters) and name in lower case; `texts` are what their
    values hold. `returned` tells whether the run returns a secret.
    """

    names: set[tuple[str, str]] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    returned: bool = False

    def add(self, scope, name, value=None):
        """Keep that a name holds a secret, and the texts of its value."""
        self.names.add((scope, name.lower()))
        self.texts |= set(_leaves(value))

    def holds(self, scope, name):
        """Whether a name holds a secret."""
        return (scope, name.lower()) in self.names

    def reads(self, value, item_is_secret=False):
        """Whether an expression in a JSON value takes a secret."""
        if isinstance(value, dict):
            return any(self.reads(member, item_is_secret) for member in value.values())
        if isinstance(value, list):
            return any(self.reads(member, item_is_secret) for member in value)
        if not isinstance(value, str) or "@" not in value:
            return False
        if item_is_secret and "item()" in value.lower():
            return True
        try:
            found = list(references(parse(value)))
        except ExpressionError:
            return False
        return any(
            one.name and self.holds(one.scope, one.name) and (one.scope != "activity" or _is_output(one))
            for one in found
        )

    def masked(self, value, also=None):
        """A JSON value without the secrets in its texts, whole or cut at the end; `also` holds more of them."""
        hidden = sorted(self.texts | set(_leaves(also)), key=len, reverse=True)
        return _masked(value, hidden) if hidden else value


def secrets_of(document, parameters):
    """The secrets that are known when a run of a pipeline begins."""
    secrets, properties = Secrets(), document["properties"]
    for name, specification in (properties.get("parameters") or {}).items():
        if specification["type"].lower() == "securestring":
            secrets.add("parameters", name, parameters.get(name))
    for _, activity in all_activities(properties.get("activities")):
        if (activity.get("policy") or {}).get("secureOutput"):
            secrets.add("activity", activity["name"])
    return secrets


def takes_secrets(secrets, activity, item_is_secret):
    """Whether an activity's own properties take a secret."""
    return secrets.reads(own_type_properties(activity), item_is_secret)


def _is_output(reference):
    return not reference.keys or reference.keys[0].lower() == "output"


def _leaves(value):
    """The texts in a JSON value that are long enough to be secrets."""
    if isinstance(value, str):
        if len(value) >= SHORTEST:
            yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)


def _masked(value, hidden):
    if isinstance(value, dict):
        return {_masked(name, hidden): _masked(member, hidden) for name, member in value.items()}
    if isinstance(value, list):
        return [_masked(item, hidden) for item in value]
    if isinstance(value, str):
        for secret in hidden:
            value = _without(value, secret)
    return value


def _without(text, secret):
    start, end = secret[:SURE], 0
    while (found := text.find(start, end)) >= 0:
        length = len(start)
        while text[found + length : found + length + 1] == secret[length : length + 1] != "":
            length += 1
        text = f"{text[:found]}{MASK}{text[found + length :]}"
        end = found + len(MASK)
    return text
