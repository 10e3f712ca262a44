"""The contract of a notebook's parameters: their names, their types and the values they may take.

A notebook declares the parameters it uses in its cell tagged `parameters`: `name: type = default  # help`.
papermill, Azure Data Factory and Databricks widgets set them; `override` checks them before any write.
The same names, and no others, stand in parameters/*.yml.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from coinlake import instants, runtime
from coinlake.currencies import CODES
from coinlake.errors import CoinlakeError, ConfigurationError

Value = str | int | float | bool


@dataclass(frozen=True)
class Parameter:
    """One parameter: its type, what it means, and the values it may take.

    `read` raises ConfigurationError for a text that it cannot read.
    """

    type: type[str] | type[int] | type[float] | type[bool]
    help: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    read: Callable[[str], object] | None = None


PARAMETERS: dict[str, Parameter] = {
    "environment": Parameter(str, "which parameters/*.yml the values come from", ("local", "dev", "prod")),
    "catalog": Parameter(str, "catalog of all tables", pattern=r"[^\s`/.]{1,255}"),
    "lake_path": Parameter(str, "folder of everything generated", read=runtime.resolve_path),
    "run_id": Parameter(
        str, "id of the pipeline run; empty makes a new one", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}|"
    ),
    "source": Parameter(str, "who answers the requests", ("simulated", "replay", "live")),
    "as_of": Parameter(
        str, "UTC instant of the data, or a step such as +1h; empty is the source's default", read=instants.as_of
    ),
    "seed": Parameter(int, "seed of the simulated market", minimum=0),
    "coins": Parameter(int, "how many coins, largest first", minimum=1, maximum=20_000),
    "history_coins": Parameter(int, "how many of them with daily history", minimum=0, maximum=20_000),
    "history_days": Parameter(int, "days of daily history", minimum=1, maximum=4_750),
    "vs_currency": Parameter(str, "currency of prices", tuple(sorted(CODES))),
    "plan": Parameter(str, "CoinGecko plan: sets pace and monthly budget", ("keyless", "demo", "pro")),
    "requests_per_minute": Parameter(int, "pace of requests; 0 is the plan's own", minimum=0),
    "credits_per_month": Parameter(int, "budget of requests; 0 is the plan's own", minimum=0),
    "tape_path": Parameter(str, "recorded responses for source replay"),
    "faults": Parameter(str, "how badly the simulated API behaves", ("none", "typical", "dirty", "hostile")),
    "secret_scope": Parameter(str, "Databricks secret scope; empty when there is none"),
    "key_vault_url": Parameter(str, "Azure Key Vault; empty when there is none"),
    "sql_server": Parameter(
        str,
        "host of the Azure SQL server; empty keeps the warehouse in a file of the lake",
        pattern=r"[A-Za-z0-9][A-Za-z0-9.-]*(,\d{1,5})?|",
    ),
    "sql_database": Parameter(str, "its database; empty when there is no server"),
    "sql_credential": Parameter(
        str, "Unity Catalog service credential that signs in there; empty when there is none"
    ),
    "fx_currencies": Parameter(str, "currencies to convert into, comma-separated"),
    "latitude": Parameter(float, "place of the weather, degrees north", minimum=-90, maximum=90),
    "longitude": Parameter(float, "place of the weather, degrees east", minimum=-180, maximum=180),
    "freshness_sla_hours": Parameter(float, "age at which data counts as late, hours", minimum=0.0),
    "most_rejected_share": Parameter(
        float, "share of silver's rows that may be rejected before gold is built", minimum=0.0, maximum=1.0
    ),
    "top_coins": Parameter(int, "how many coins a report shows", minimum=2, maximum=250),
}

# What the Databricks job decides by: whether the lake is set up, the warehouse loaded, reports made.
OF_A_JOB = ("with_setup", "with_load", "with_reports")


def override(namespace: MutableMapping[str, Any]) -> dict[str, Value]:
    """Let Databricks widgets override a notebook's parameters, and check every value.

    `namespace` is the notebook's `globals()`; its annotations are the declared parameters.
    Call it before the notebook defines any variable of its own: whatever plain value stands there besides the
    declared names was passed from outside under a name that the notebook does not know.
    Of the widgets, those that belong to other notebooks are left alone: a job hands all of its parameters to each.

    Returns the parameters by name.
    Raises ConfigurationError for an unknown name, a wrong type or a value out of range.
    """
    declared = [name for name in namespace.get("__annotations__", {}) if not name.startswith("_")]
    widgets = runtime.widgets()
    if widgets is None:
        if "_parameters_checked" not in namespace:
            _refuse_unknown(_plain_values(namespace), declared)
    else:
        _refuse_unknown((name for name in widgets if name not in {*PARAMETERS, *OF_A_JOB}), declared)
        for name in declared:
            if name in widgets:
                namespace[name] = from_text(name, widgets[name])
    values = {name: namespace[name] for name in declared}
    check(values)
    namespace["_parameters_checked"] = True
    return values


def check(values: Mapping[str, Value]) -> None:
    """Check names, types and ranges; raises ConfigurationError that names every fault."""
    faults = [fault for name, value in values.items() if (fault := _fault(name, value))]
    if faults:
        raise ConfigurationError("These parameters cannot be used:\n  " + "\n  ".join(faults))


def from_text(name: str, text: str) -> Value:
    """Read a parameter's value from text, as command lines, widgets and Data Factory pass it.

    Raises ConfigurationError when the name is unknown or the text is not of the parameter's type.
    """
    if name not in PARAMETERS:
        _refuse_unknown([name], PARAMETERS)
    expected = PARAMETERS[name].type
    try:
        return expected(text.strip())
    except ValueError:
        raise ConfigurationError(
            f"Parameter {name}: {text!r} is not {_article(expected)}. Meaning: {PARAMETERS[name].help}."
        ) from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema that parameters/*.yml obey, made from PARAMETERS."""
    names = {str: "string", int: "integer", float: "number", bool: "boolean"}
    properties = {}
    for name, parameter in PARAMETERS.items():
        rule: dict[str, Any] = {"type": names[parameter.type], "description": parameter.help}
        if parameter.choices:
            rule["enum"] = list(parameter.choices)
        if parameter.minimum is not None:
            rule["minimum"] = parameter.minimum
        if parameter.maximum is not None:
            rule["maximum"] = parameter.maximum
        if parameter.pattern:
            rule["pattern"] = f"^(?:{parameter.pattern})$"
        properties[name] = rule
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameters of coinlake's notebooks",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _plain_values(namespace: Mapping[str, Any]) -> list[str]:
    """Names in a notebook's namespace that hold plain data, less what Jupyter and its start-up files put there."""
    others = {"In", "Out"} | runtime.start_up_names(namespace)
    return [
        name
        for name, value in namespace.items()
        if not name.startswith("_")
        and name not in others
        and (value is None or isinstance(value, str | int | float | bool | list | dict))
    ]


def _refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    unknown = [name for name in names if name not in known]
    if not unknown:
        return
    lines = []
    for name in unknown:
        near = get_close_matches(name, known, n=1)
        lines.append(f"{name}: did you mean {near[0]}?" if near else f"{name}")
    raise ConfigurationError(
        "Unknown parameters:\n  " + "\n  ".join(lines) + f"\nThe parameters here are: {', '.join(known)}."
    )


def _fault(name: str, value: Value) -> str | None:
    if name not in PARAMETERS:
        return f"{name}: there is no such parameter. Add it to coinlake/parameters.py or remove it."
    rule = PARAMETERS[name]
    is_number_for_float = rule.type is float and isinstance(value, int) and not isinstance(value, bool)
    if type(value) is not rule.type and not is_number_for_float:
        return f"{name}: {value!r} is not {_article(rule.type)}. Meaning: {rule.help}."
    if rule.choices and value not in rule.choices:
        near = get_close_matches(str(value), rule.choices, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        shown = ", ".join(rule.choices) if len(rule.choices) <= 6 else f"{len(rule.choices)} codes such as usd"
        return f"{name}: {value!r} is not one of {shown}.{hint}"
    if isinstance(value, str):
        return _text_fault(name, value, rule)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{name}: {value!r} is not a finite number. Meaning: {rule.help}."
    if rule.minimum is not None and value < rule.minimum:
        return f"{name}: {value!r} is below {rule.minimum:g}. {_wanted(rule)}"
    if rule.maximum is not None and value > rule.maximum:
        return f"{name}: {value!r} is above {rule.maximum:g}. {_wanted(rule)}"
    return None


def _text_fault(name: str, value: str, rule: Parameter) -> str | None:
    if rule.pattern and not re.fullmatch(rule.pattern, value):
        return f"{name}: {value!r} is not of the form {rule.pattern.removesuffix('|')} Meaning: {rule.help}."
    if rule.read:
        try:
            rule.read(value)
        except CoinlakeError as problem:
            return f"{name}: {problem}"
    return None


def _wanted(rule: Parameter) -> str:
    most = "" if rule.maximum is None else f" and at most {rule.maximum:,g}"
    return f"Give {_article(rule.type)} of at least {rule.minimum:,g}{most}: {rule.help}."


def _article(expected: type) -> str:
    return {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[expected]
