import yaml

from coinlake_ops.azure import cost
from coinlake_ops.project import ROOT

README = (ROOT / "coinlake_ops" / "azure" / "README.md").read_text(encoding="utf-8")


def test_a_line_is_quantity_times_price_and_the_sum_is_all_lines():
    [line] = [line for line in cost.lines("dev") if line.what.startswith("machines")]
    assert (line.quantity, line.price, line.arithmetic) == (45.0, 0.27, "30 runs × 0.75 h × 2 machines")
    assert line.amount == 45.0 * 0.27
    assert cost.total("dev") == sum(line.quantity * line.price for line in cost.lines("dev"))


def test_the_readme_shows_what_the_arithmetic_gives():
    shown = README.partition("<!-- cost -->\n")[2].partition("\n<!-- /cost -->")[0]
    assert shown == f"{cost.table('dev')}\n\n{cost.table('prod')}"


def test_the_budget_of_an_environment_holds_its_estimate():
    for environment in ("dev", "prod"):
        described = yaml.safe_load(
            (ROOT / "coinlake_ops" / "azure" / f"{environment}.example.yml").read_text(encoding="utf-8")
        )
        assert cost.total(environment) < described["monthly_budget"]
