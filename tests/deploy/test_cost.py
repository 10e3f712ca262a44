from dataclasses import replace

import yaml

from coinlake_ops.azure import cost
from coinlake_ops.project import ROOT
from tests.support.environment import DEV

README = (ROOT / "coinlake_ops" / "azure" / "README.md").read_text(encoding="utf-8")


def test_a_line_is_quantity_times_price_and_the_sum_is_all_lines():
    [line] = [line for line in cost.lines("dev") if line.what.startswith("Databricks, serverless")]
    assert (line.quantity, line.price, line.arithmetic) == (13.5, 0.45, "30 runs × 0.15 h × 3 DBU")
    assert line.amount == 13.5 * 0.45
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
    assert idle["Databricks, serverless, standard"] == 0
    assert idle["NAT gateway and its address"] == 720
    assert "private endpoints" not in idle
    private = {line.what: line.quantity for line in cost.of(replace(DEV, network="private"))}
    assert private["private endpoints"] == 10 * 720
    assert private["machines of a run (D4ds v5)"] == 30 * 0.4 * 2
    assert "Databricks, serverless, standard" not in private
    single = {line.what: line.quantity for line in cost.of(replace(DEV, machines="single"))}
    assert single["machines of a run (D4ds v5)"] == 30 * 0.4


def test_the_readme_shows_what_the_arithmetic_gives():
    shown = README.partition("<!-- cost -->\n")[2].partition("\n<!-- /cost -->")[0]
    assert shown == cost.tables()


def test_the_factory_counts_as_many_activities_as_a_run_has(load_adf):
    adf = load_adf(ROOT / "adf")
    adf.script, adf.now = "tests/answers.json", "2026-08-12T14:22:00Z"
    assert len(adf.run("pl_main").ran) == cost.ACTIVITIES


def test_a_job_on_other_machines_costs_what_its_lines_say():
    assert {what: round(cost.amount(found)) for what, found in cost.variants()} == {
        "serverless, standard: starts in 4 to 6 minutes": round(720 * 0.1 * 3 * 0.45),
        "serverless, performance: starts within one": round(720 * 0.1 * 6 * 0.45),
        "one machine of the pool: `machines: single`": round(720 * 0.35 * (0.27 + 0.30)),
        "two machines of the pool, as in a private network": round(720 * 0.35 * 2 * (0.27 + 0.30)),
    }
    half, whole = cost.amount(cost.course(15)), cost.amount(cost.course(30))
    # The warehouse, the network and the database cost the same for any number of people.
    assert round(2 * half - whole, 2) == round(8 * 4 * 0.91 + 8 * 0.05 + 4 * 0.52, 2)


def test_the_budget_of_an_environment_holds_its_estimate():
    for environment in ("dev", "prod"):
        described = yaml.safe_load(
            (ROOT / "coinlake_ops" / "azure" / f"{environment}.example.yml").read_text(encoding="utf-8")
        )
        assert cost.total(environment) < described["monthly_budget"]
