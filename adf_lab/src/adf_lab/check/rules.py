"""Every rule of the checker: its name and severity, what it says and why, and Microsoft's page about it."""

from dataclasses import dataclass

ERROR, WARNING, NOTE = SEVERITIES = ("error", "warning", "note")
LEARN = "https://learn.microsoft.com/azure/data-factory/"
LIMITS = (
    "https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"
    "#azure-data-factory-limits"
)
EXPRESSIONS = f"{LEARN}control-flow-expression-language-functions"
SYSTEM_VARIABLES = f"{LEARN}control-flow-system-variables"
PIPELINES = f"{LEARN}concepts-pipelines-activities"
ERROR_HANDLING = f"{LEARN}tutorial-pipeline-failure-error-handling"
NAMES = f"{LEARN}naming-rules"
SCHEDULES = f"{LEARN}how-to-create-schedule-trigger"
SECRETS = f"{LEARN}store-credentials-in-key-vault"
REST = "https://learn.microsoft.com/rest/api/datafactory/"


@dataclass(frozen=True)
class Rule:
    """One rule.

    `severity` is error (the service refuses it, or it cannot work), warning (a likely mistake) or note (style,
    or something that was not checked). A rule of a `house` is looked at only where a project asks for it.
    """

    name: str
    group: str
    severity: str
    says: str
    why: str
    source: str
    house: bool = False


def _rules(group, *rows, house=False):
    return [Rule(name, group, severity, says, why, source, house) for name, severity, says, why, source in rows]


_ALL = [
    *_rules(
        "Files",
        (
            "unreadable-file",
            ERROR,
            "A file is not a JSON object, or is nested more than 100 deep.",
            "Git mode keeps one resource in one JSON file; what cannot be read cannot be published.",
            f"{LEARN}source-control",
        ),
        (
            "repeated-key",
            ERROR,
            "An object holds the same key twice.",
            "Only one of the two counts, and nothing says which: the other is lost without a word.",
            "https://www.rfc-editor.org/rfc/rfc8259#section-4",
        ),
        (
            "file-name",
            ERROR,
            "A resource is not named as its file is.",
            "Git mode finds a resource by the name of its file.",
            f"{LEARN}source-control",
        ),
    ),
    *_rules(
        "Names",
        (
            "resource-name",
            ERROR,
            "A name does not begin with a letter (a pipeline's: a letter, a number or an underscore), has one of "
            "the characters . + ? / < > * % & : \\, or differs from another by case only; a global parameter has "
            "a dash.",
            "The service refuses such names; they are unique without regard to case.",
            NAMES,
        ),
        (
            "dash-in-name",
            WARNING,
            "The name of a linked service, dataset or data flow has a dash.",
            "Data Factory refuses it; Synapse names its own linked services so.",
            NAMES,
        ),
        (
            "activity-name",
            ERROR,
            "An activity's name has more than 55 characters, does not begin with a letter, a number or an "
            "underscore, or has one of the characters . + ? / < > * % & : \\.",
            "The service refuses such names.",
            PIPELINES,
        ),
        (
            "repeated-activity",
            ERROR,
            "Two activities of a pipeline have the same name.",
            "Names of activities are unique inside a pipeline, containers included.",
            PIPELINES,
        ),
        (
            "activity-case",
            WARNING,
            "The names of two activities differ by case only.",
            "activity('x') finds names without regard to case, so it is left open which one is meant.",
            EXPRESSIONS,
        ),
    ),
    *_rules(
        "Shape",
        (
            "missing-property",
            ERROR,
            "A property that its type needs is missing.",
            "The service refuses a definition without it.",
            REST,
        ),
        (
            "unknown-property",
            ERROR,
            "A property is unknown and nearly the name of a known one.",
            "The service does not read a misspelled property: the setting has no effect. Properties that resemble "
            "none are only noted, for the service knows more than any list of it.",
            REST,
        ),
        (
            "unknown-type",
            ERROR,
            "A type is unknown and nearly the name of a known one.",
            "The service refuses types that it does not know.",
            REST,
        ),
        (
            "wrong-value",
            ERROR,
            "A value is of the wrong JSON type, or none of those that are allowed.",
            "The service refuses it.",
            REST,
        ),
        (
            "letter-case",
            ERROR,
            "A dependency condition is written in another letter case.",
            "The conditions are Succeeded, Failed, Skipped and Completed, in these letters.",
            PIPELINES,
        ),
        (
            "not-checked",
            NOTE,
            "Something is unknown here and was not checked.",
            "The definitions come from azure-mgmt-datafactory; Synapse and newer features have more.",
            REST,
        ),
    ),
    *_rules(
        "References",
        (
            "unknown-reference",
            ERROR,
            "Something is referred to that does not exist.",
            "A pipeline that refers to a missing resource cannot be published.",
            f"{LEARN}concepts-datasets-linked-services",
        ),
        (
            "parameter-not-declared",
            ERROR,
            "A parameter is passed that its receiver does not declare.",
            "The service refuses it.",
            f"{LEARN}concepts-parameters-variables",
        ),
        (
            "parameter-missing",
            ERROR,
            "A parameter without a default is not passed.",
            "A run fails for want of its value.",
            f"{LEARN}concepts-parameters-variables",
        ),
        (
            "parameter-kind",
            ERROR,
            "A value of another kind than the parameter's is passed or is its default.",
            "Parameters are typed; a run fails on a value of another kind.",
            f"{LEARN}concepts-parameters-variables",
        ),
        (
            "unused-resource",
            NOTE,
            "Nothing refers to a dataset or linked service.",
            "What nobody uses still has to be read and kept.",
            f"{LEARN}concepts-datasets-linked-services",
        ),
        (
            "unused-declaration",
            NOTE,
            "No expression reads a parameter, a variable or a global parameter.",
            "What nobody reads misleads those who look for its effect.",
            f"{LEARN}concepts-parameters-variables",
        ),
    ),
    *_rules(
        "Expressions",
        (
            "expression-syntax",
            ERROR,
            "An expression cannot be parsed.",
            "It fails when it is to be evaluated, or already when it is published.",
            EXPRESSIONS,
        ),
        (
            "expression-length",
            ERROR,
            "An expression has more than 8,192 characters.",
            "That is the limit of the service.",
            LIMITS,
        ),
        ("unknown-function", ERROR, "There is no such function.", "The expression fails.", EXPRESSIONS),
        (
            "function-arguments",
            ERROR,
            "A function is given too many, too few or the wrong arguments.",
            "The expression fails.",
            EXPRESSIONS,
        ),
        (
            "expression-kind",
            ERROR,
            "An expression gives another kind of value than is wanted where it stands.",
            "A condition must be a boolean or a text that reads so, the items of a loop an array.",
            EXPRESSIONS,
        ),
        (
            "expression-place",
            ERROR,
            "A function such as trigger(), dataset() or item() stands where it has no value.",
            "Each has a value in its own place only; what is needed elsewhere is passed as a parameter.",
            SYSTEM_VARIABLES,
        ),
        (
            "unknown-activity",
            ERROR,
            "activity('x') names an activity that the pipeline does not have.",
            "The expression fails.",
            EXPRESSIONS,
        ),
        (
            "activity-order",
            ERROR,
            "activity('x') is read by an activity that does not wait for it.",
            "Only what an activity depends on, directly or through others, is sure to have ended.",
            PIPELINES,
        ),
        (
            "unknown-variable",
            ERROR,
            "A variable is used that the pipeline does not declare.",
            "The expression or the activity fails.",
            f"{LEARN}control-flow-set-variable-activity",
        ),
        (
            "unknown-parameter",
            ERROR,
            "A parameter is read that is not declared.",
            "The expression fails.",
            f"{LEARN}concepts-parameters-variables",
        ),
        (
            "unknown-global-parameter",
            ERROR,
            "A global parameter is read that the factory does not have.",
            "The expression fails.",
            f"{LEARN}author-global-parameters",
        ),
        (
            "unknown-output",
            ERROR,
            "A property of an activity or of its output is read that it does not have.",
            "activity('x') has output, error, status and its times; the outputs of control activities are known.",
            EXPRESSIONS,
        ),
        (
            "unknown-system-variable",
            ERROR,
            "pipeline() or trigger() has no such property.",
            "The expression fails.",
            SYSTEM_VARIABLES,
        ),
        (
            "missing-at",
            WARNING,
            "The object form of an expression has no @ in its value.",
            "It is a plain text then; a function call in it is not evaluated.",
            EXPRESSIONS,
        ),
        (
            "endless-until",
            ERROR,
            "Nothing inside an Until can change its condition.",
            "It runs until its time-out, which is seven days unless it is set.",
            f"{LEARN}control-flow-until-activity",
        ),
    ),
    *_rules(
        "Control flow",
        (
            "activity-circle",
            ERROR,
            "Activities wait for one another.",
            "None of them can ever begin.",
            PIPELINES,
        ),
        (
            "pipeline-circle",
            ERROR,
            "Pipelines call one another in a circle.",
            "The service refuses it; a run would have no end.",
            f"{LEARN}control-flow-execute-pipeline-activity",
        ),
        (
            "unknown-dependency",
            ERROR,
            "dependsOn names an activity that does not stand beside this one.",
            "The service refuses it.",
            PIPELINES,
        ),
        (
            "nesting",
            ERROR,
            "A container stands in a container in a way that is not allowed, or a Validation in any.",
            "If and Switch may stand in a ForEach or Until; everything else goes into a pipeline of its own.",
            f"{LEARN}concepts-nested-activities",
        ),
        (
            "completed-beside-others",
            ERROR,
            "One dependency has Completed beside Succeeded or Failed.",
            "Completed already means both; the service does not let them coexist.",
            ERROR_HANDLING,
        ),
        (
            "impossible-dependency",
            WARNING,
            "An activity waits for two outcomes of the same activity that exclude one another.",
            "All dependencies must be met, so it never runs.",
            ERROR_HANDLING,
        ),
        (
            "self-reference",
            ERROR,
            "SetVariable sets a variable from itself.",
            "A variable cannot refer to itself in its own value.",
            f"{LEARN}control-flow-set-variable-activity",
        ),
        (
            "parallel-variable",
            WARNING,
            "SetVariable stands in a ForEach that runs its iterations in parallel.",
            "Variables belong to the whole pipeline: iterations overwrite one another's values.",
            f"{LEARN}control-flow-for-each-activity",
        ),
        (
            "repeated-case",
            ERROR,
            "Two cases of a Switch have the same value.",
            "Only one of them can be chosen.",
            f"{LEARN}control-flow-switch-activity",
        ),
        (
            "inactive-activity",
            NOTE,
            "An activity is inactive.",
            "It never runs, and nothing of it is validated.",
            f"{LEARN}deactivate-activity",
        ),
    ),
    *_rules(
        "Limits",
        (
            "limit",
            ERROR,
            "There are more activities, parameters, cases, dependencies or bytes than the service takes.",
            "The service refuses it.",
            LIMITS,
        ),
        (
            "out-of-range",
            ERROR,
            "A number or a time span is none, or outside of what is allowed.",
            "The service refuses it, or the activity fails.",
            PIPELINES,
        ),
    ),
    *_rules(
        "Policies",
        (
            "policy-range",
            WARNING,
            "A time-out or the interval between attempts is outside of the documented range.",
            "Time-outs are documented from ten minutes to seven days, intervals from 30 seconds to a day.",
            PIPELINES,
        ),
    ),
    *_rules(
        "Triggers",
        (
            "trigger-recurrence",
            ERROR,
            "Frequency, interval, start or end of a trigger are missing or cannot be.",
            "The trigger cannot be started, or never fires.",
            SCHEDULES,
        ),
        (
            "trigger-schedule",
            ERROR,
            "A schedule has minutes, hours or days that do not exist or do not go with its frequency.",
            "Days of the week need a weekly frequency, days of the month a monthly one.",
            SCHEDULES,
        ),
        (
            "trigger-time-zone",
            ERROR,
            "A time zone is unknown, or a time that belongs to one carries a Z.",
            "Triggers take the names that Windows has for time zones, and local times in them.",
            SCHEDULES,
        ),
        (
            "trigger-window",
            ERROR,
            "A tumbling window's size, delay, concurrency, retries or dependencies cannot be.",
            "The service refuses it.",
            f"{LEARN}how-to-create-tumbling-window-trigger",
        ),
        (
            "trigger-event",
            ERROR,
            "An event trigger lacks what it listens to.",
            "A storage event trigger needs the beginning or the end of a path, every one needs events.",
            f"{LEARN}how-to-create-event-trigger",
        ),
        (
            "trigger-field",
            ERROR,
            "trigger() or triggerBody() is asked for something that this kind of trigger does not have.",
            "Windows have windowStartTime and windowEndTime, schedules scheduledTime, events a body.",
            SYSTEM_VARIABLES,
        ),
    ),
    *_rules(
        "Types",
        (
            "dataset-linked-service",
            ERROR,
            "A dataset stands on a linked service of a kind that has no such data.",
            "The service refuses it.",
            f"{LEARN}concepts-datasets-linked-services",
        ),
        (
            "copy-type",
            ERROR,
            "The source or sink of a copy does not go with the type of its dataset.",
            "The copy fails.",
            f"{LEARN}copy-activity-overview",
        ),
        (
            "variable-kind",
            ERROR,
            "A variable is given a value that its type cannot hold.",
            "The activity fails: AppendVariable needs an Array, SetVariable a value of the variable's type.",
            f"{LEARN}control-flow-append-variable-activity",
        ),
        (
            "web-body",
            ERROR,
            "A web request has a body that its method cannot have, or lacks the one that it needs.",
            "POST, PUT and PATCH need a body; a GET with one is refused before it is sent.",
            f"{LEARN}control-flow-web-activity",
        ),
    ),
    *_rules(
        "Secrets",
        (
            "secret",
            ERROR,
            "A password, key or token stands in a file.",
            "What is in git is known to all who can read it, for ever: a secret belongs into Key Vault.",
            SECRETS,
        ),
        (
            "secret-shown",
            WARNING,
            "A secret is shown in the monitor.",
            "Outputs and inputs of activities are kept in plain text unless secureOutput and secureInput are set.",
            f"{LEARN}how-to-use-azure-key-vault-secrets-pipeline-activities",
        ),
        (
            "encrypted-credential",
            NOTE,
            "A linked service has an encryptedCredential.",
            "It is no secret but a pointer into one factory's own store: in another factory it means nothing.",
            SECRETS,
        ),
    ),
    *_rules(
        "Notebooks",
        (
            "notebook",
            ERROR,
            "A notebook is missing, or declares other parameters than it is passed.",
            "The activity fails, or a value is passed that nobody reads.",
            f"{LEARN}transform-data-databricks-notebook",
        ),
    ),
    *_rules(
        "House rules",
        (
            "house-name",
            WARNING,
            "A name has not the prefix of its kind, or is not in snake case.",
            "A style that a project may choose: pl_, ds_, ls_, tr_.",
            NAMES,
        ),
        (
            "green-failure",
            WARNING,
            "A failure branch does not end in a Fail activity.",
            "A run whose failure branch succeeds counts as succeeded: a project may want it red all the same.",
            ERROR_HANDLING,
        ),
        house=True,
    ),
]
RULES = {rule.name: rule for rule in _ALL}
