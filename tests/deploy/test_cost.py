from dataclasses import replace

import yaml

from coinlake_ops.azure import cost
from coinlake_ops.project import ROOT
from tests.support.environment import DEV

README = (ROOT / "coinlake_ops" / "azure" / "README.md").read_text(encoding="utf-8")


def test_a_line_is_quantity_times_price_and_the_sum_is_all_lines():
    [line] = [line for line in cost.lines("dev") if line.what.startswith("machines")]
    assert (line.quantity, line.price, line.arithmetic) == (45.0, 0.27, "30 runs × 0.75 h × 2 machines")
    assert line.amount == 45.0 * 0.27
    assert cost.total("dev") == sum(line.quantity * line.price for line in cost.lines("dev"))


def sql_of(described):
    [line] = [line for line in cost.of(described) if line.what == "Azure SQL, serverless"]
    return line


def test_a_database_that_pauses_later_than_the_next_run_never_pauses():
    hourly = replace(DEV, running_triggers=("tr_daily", "tr_hourly"))
    assert sql_of(replace(hourly, sql_pause_minutes=15)).quantity == 720 * 20 / 60 * 0.5
    never = sql_of(replace(hourly, sql_pause_minutes=60))
    assert (never.quantity, never.arithmetic) == (720 * 0.5, "never pauses: always awake × 0.5 vCore")


def test_what_stands_there_whether_anything_runs_or_not_is_counted():
    idle = {line.what: line.quantity for line in cost.of(replace(DEV, running_triggers=()))}
    assert idle["machines of a run (D4ds v5)"] == 0
    assert idle["NAT gateway and its address"] == 720
    assert "private endpoints" not in idle
    private = {line.what: line.quantity for line in cost.of(replace(DEV, network="private"))}
    assert private["private endpoints"] == 10 * 720


def test_the_readme_shows_what_the_arithmetic_gives():
    shown = README.partition("<!-- cost -->\n")[2].partition("\n<!-- /cost -->")[0]
    assert shown == f"{cost.table('dev')}\n\n{cost.table('prod')}"


def test_the_budget_of_an_environment_holds_its_estimate():
    for environment in ("dev", "prod"):
        described = yaml.safe_load(
            (ROOT / "coinlake_ops" / "azure" / f"{environment}.example.yml").read_text(encoding="utf-8")
        )
        assert cost.total(environment) < described["monthly_budget"]
