"""Secrets: none in git, and none in the monitor.

Source: azure-docs, data-movement-security-considerations, how-to-use-azure-key-vault-secrets-pipeline-activities.
"""

import re

from adf_lab.check.finding import Finding, objects, strings
from adf_lab.expressions import ExpressionError, parse, references
from adf_lab.structure import all_activities, is_active, own_type_properties

SECRET_NAMES = re.compile(
    r"(password|pwd|accesstoken|accountkey|accesskey|apikey|x-api-key|x-cg-[\w-]*api-key|secret|clientsecret|"
    r"serviceprincipalkey|sastoken|sasuri|encryptedcredential|authorization)",
    re.IGNORECASE,
)
SECRET_TEXTS = re.compile(
    r"(AccountKey|Password|Pwd|SharedAccessKey|SharedAccessSignature)\s*=\s*[^;@\s]|[?&]sig=\w|Bearer\s+\w{8}|\bdapi[0-9a-f]{8}",
    re.IGNORECASE,
)
KEY_VAULT = re.compile(r"key_?vault|vault\.azure\.net", re.IGNORECASE)


def secrets_in_git(factory):
    """Texts that are secrets: SecureString values, keys and passwords in connection strings and headers."""
    for resource in factory.all_resources:
        for path, value in objects(resource.document):
            if value.get("type") == "SecureString" and not str(value.get("value", "")).startswith("@"):
                yield _secret(resource, f"{path}.value")
                continue
            for name, member in value.items():
                is_literal = isinstance(member, str) and member and "@" not in member
                if is_literal and SECRET_NAMES.fullmatch(name) and path.split(".")[-1] != "authentication":
                    yield _secret(resource, f"{path}.{name}")
        for path, text in strings(resource.document):
            if SECRET_TEXTS.search(text) and not SECRET_NAMES.fullmatch(path.split(".")[-1]):
                yield _secret(resource, path)


def _secret(resource, path):
    return Finding(
        resource.file,
        path,
        "this looks like a secret: put it into Key Vault and refer to it (AzureKeyVaultSecret), or use a managed "
        "identity.",
    )


def secrets_in_the_monitor(factory):
    """Key Vault reads without secureOutput, and activities that take a secured output without secureInput."""
    for resource in factory.resources["pipeline"].values():
        activities = list(all_activities(resource.properties.get("activities") or []))
        secured = {
            activity.get("name")
            for _, activity in activities
            if (activity.get("policy") or {}).get("secureOutput") or _reads_key_vault(activity)
        }
        for path, activity in activities:
            if not is_active(activity):
                continue
            policy = activity.get("policy") or {}
            if _reads_key_vault(activity) and not policy.get("secureOutput"):
                message = "the answer of Key Vault would be shown in the monitor: set secureOutput."
                yield Finding(resource.file, f"{path}.policy", message)
            taken = secured & _outputs_taken(activity)
            if taken and not policy.get("secureInput"):
                message = (
                    f"the secured output of '{sorted(taken)[0]}' would be shown in the monitor: set secureInput."
                )
                yield Finding(resource.file, f"{path}.policy", message)


def _reads_key_vault(activity):
    if activity.get("type") != "WebActivity":
        return False
    properties = activity.get("typeProperties") or {}
    resource = str((properties.get("authentication") or {}).get("resource", ""))
    return any(KEY_VAULT.search(text) for _, text in strings([properties.get("url"), resource]))


def _outputs_taken(activity):
    """The activities whose output stands in an activity's own inputs."""
    names = set()
    for _, text in strings(own_type_properties(activity)):
        try:
            found = list(references(parse(text)))
        except ExpressionError:
            continue
        names |= {one.name for one in found if one.scope == "activity" and "output" in map(str.lower, one.keys)}
    return names
