"""Secrets: none in git, and none in the monitor.

Source: azure-docs, data-movement-security-considerations, store-credentials-in-key-vault,
how-to-use-azure-key-vault-secrets-pipeline-activities.
"""

import re

from adf_lab.check.finding import finding, objects, strings
from adf_lab.check.names import find
from adf_lab.expressions import ExpressionError, parse, references
from adf_lab.structure import all_activities, is_active, own_type_properties

SECRET_NAMES = re.compile(
    r"(password|pwd|accesstoken|accountkey|accesskey|apikey|x-api-key|x-functions-key|x-cg-[\w-]*api-key|secret|"
    r"clientsecret|functionkey|serviceprincipalkey|sastoken|authorization|ocp-apim-subscription-key)",
    re.IGNORECASE,
)
# Names of parameters and variables whose default is then no default but the secret itself.
SECRET_DECLARATIONS = re.compile(
    r"(.*[_-])?(password|pwd|(api|access|account|functions?|shared)[_-]?key|(client|app)[_-]?secret|"
    r"(sas|access|bearer)[_-]?token)",
    re.IGNORECASE,
)
SECRET_TEXTS = re.compile(
    r"(AccountKey|Password|Pwd|SharedAccessKey|SharedAccessSignature)\s*=\s*(?P<value>[^;@\s'\"]+)"
    r"|[?&](sig|code)=(?P<signature>[\w%+/=-]{12,})"
    r"|https?://[^/\s:@{}]+:(?P<login>[^/\s:@{}]+)@"
    r"|Bearer\s+(?P<token>\w{8}[\w.-]*)|\b(?P<databricks>dapi[0-9a-f]{8})",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"[*•x.]+|<.*>|\$\(.*\)|#?\{.*\}#?|__.*__|#.*#|%.*%", re.IGNORECASE)
SHORTEST_KEY = 8
# Activities that have no policy, and show no more of what they read than a choice or a count.
WITHOUT_POLICY = {"Filter", "ForEach", "IfCondition", "Switch", "Until", "Wait"}
KEY_VAULT = re.compile(r"key_?vault|vault\.azure\.net", re.IGNORECASE)


def secrets_in_git(factory):
    """Texts that are secrets: SecureString values, keys and passwords in connection strings and headers."""
    for resource in factory.all_resources:
        for path in _secrets(resource.document):
            message = (
                "this looks like a secret: put it into Key Vault and refer to it (AzureKeyVaultSecret), or use a "
                "managed identity."
            )
            yield finding("secret", resource.file, path, message)
        for path, value in objects(resource.document):
            if value.get("encryptedCredential"):
                message = (
                    "it means something in the factory that wrote it only: elsewhere set the credential anew."
                )
                yield finding("encrypted-credential", resource.file, f"{path}.encryptedCredential", message)


def _secrets(document):
    """The paths of secrets, each once."""
    found: dict[str, None] = {}
    for path, value in objects(document):
        for name, member in value.items():
            place = f"{path}.{name}" if path else name
            is_secure = value.get("type") in ("SecureString", "securestring") and name in ("value", "defaultValue")
            is_named = SECRET_NAMES.fullmatch(name) and path.split(".")[-1] != "authentication"
            if (is_secure or is_named) and _is_secret(member):
                found[place] = None
            if name in ("parameters", "variables", "globalParameters") and isinstance(member, dict):
                for declared, specification in member.items():
                    if not isinstance(specification, dict) or not SECRET_DECLARATIONS.fullmatch(declared):
                        continue
                    key = "defaultValue" if "defaultValue" in specification else "value"
                    default = specification.get(key)
                    if _is_secret(default) and len(str(default)) >= SHORTEST_KEY and " " not in str(default):
                        found[f"{place}.{declared}.{key}"] = None
    for path, text in strings(document):
        for match in SECRET_TEXTS.finditer(text):
            if any(part and not PLACEHOLDER.fullmatch(part) for part in match.groupdict().values()):
                found[path] = None
    return found


def _is_secret(value):
    """Whether a value is a text of its own: no expression, no reference, no place that is filled in later."""
    return isinstance(value, str) and bool(value) and "@" not in value and not PLACEHOLDER.fullmatch(value)


def secrets_in_the_monitor(factory):
    """Secrets that are read, handed on or kept by an activity without secureOutput or secureInput."""
    for resource in factory.resources["pipeline"].values():
        activities = list(all_activities(resource.properties.get("activities") or []))
        secured = {
            ("activity", str(activity.get("name")).lower())
            for _, activity in activities
            if (activity.get("policy") or {}).get("secureOutput") or _reads_key_vault(activity)
        }
        secured |= {
            ("parameters", name.lower())
            for name, specification in (resource.properties.get("parameters") or {}).items()
            if str(specification.get("type")).lower() == "securestring"
        }
        taken = {path: _taken(factory, activity) for path, activity in activities}
        keeping = True
        while keeping:
            kept = {
                ("variables", str((activity.get("typeProperties") or {}).get("variableName")).lower())
                for path, activity in activities
                if activity.get("type") in ("SetVariable", "AppendVariable") and taken[path] & secured
            }
            keeping = not kept <= secured
            secured |= kept
        for path, activity in activities:
            if activity.get("type") in WITHOUT_POLICY or not is_active(activity):
                continue
            if message := _shown(activity, taken[path] & secured):
                yield finding("secret-shown", resource.file, f"{path}.policy", message)


def _shown(activity, taken):
    """Why an activity shows a secret; None if it does not."""
    policy = activity.get("policy") or {}
    if _reads_key_vault(activity) and not policy.get("secureOutput"):
        return "the answer of Key Vault would be shown in the monitor: set secureOutput."
    if not taken:
        return None
    scope, name = min(taken)
    what = {
        "activity": f"the secured output of '{name}'",
        "variables": f"the variable '{name}', which holds a secret,",
        "parameters": f"the SecureString '{name}'",
    }[scope]
    if activity.get("type") == "AppendVariable":
        return f"{what} would be shown in the monitor: AppendVariable cannot hide it, read it where it is used."
    needed = ["secureInput", "secureOutput"] if activity.get("type") == "SetVariable" else ["secureInput"]
    missing = [switch for switch in needed if not policy.get(switch)]
    return f"{what} would be shown in the monitor: set {' and '.join(missing)}." if missing else None


def _reads_key_vault(activity):
    if activity.get("type") != "WebActivity":
        return False
    properties = activity.get("typeProperties") or {}
    authentication = properties.get("authentication")
    resource = str(authentication.get("resource", "")) if isinstance(authentication, dict) else ""
    return any(KEY_VAULT.search(text) for _, text in strings([properties.get("url"), resource]))


def _taken(factory, activity):
    """The outputs, variables and parameters that stand in an activity's own inputs, as (scope, name)."""
    properties = own_type_properties(activity)
    if activity.get("type") == "ExecutePipeline":
        # The called pipeline masks what it takes as a SecureString.
        child = find(factory, "pipeline", str((properties.get("pipeline") or {}).get("referenceName")))
        declared = child.properties.get("parameters") or {} if child else {}
        given = properties.get("parameters")
        properties = {
            name: value
            for name, value in (given.items() if isinstance(given, dict) else ())
            if str((declared.get(name) or {}).get("type")).lower() != "securestring"
        }
    taken = set()
    for _, text in strings(properties):
        try:
            found = list(references(parse(text)))
        except ExpressionError:
            continue
        for one in found:
            reads = one.scope != "activity" or "output" in map(str.lower, one.keys[:1])
            if one.name and reads:
                taken.add((one.scope, one.name.lower()))
    return taken
