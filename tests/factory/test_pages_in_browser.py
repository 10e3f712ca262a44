"""The pages about runs of the factory in a browser: aligned, nothing cut or fetched; filters and commands."""

from datetime import UTC, datetime, timedelta

import pytest

from adf_lab import monitor, pages
from adf_lab.testing import failed
from coinlake_ops.factory import FACTORY
from tests.support.browser import LOOKS

START = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)

pytestmark = LOOKS
# What is seen and reaches out of the window.
CUT = """[...document.querySelectorAll('body *')].filter(
    (one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1).length"""
# The columns of a table whose cells share neither their left nor their right edge.
CROOKED = """(rows) => {
    const seen = [...document.querySelectorAll(rows)].filter((row) => row.checkVisibility());
    const edges = (column, side) =>
        new Set(seen.map((row) => Math.round(row.children[column].getBoundingClientRect()[side]))).size;
    return [...seen[0].children].map((cell, column) => column).filter(
        (column) => Math.min(edges(column, "left"), edges(column, "right")) > 1);
}"""


@pytest.fixture(scope="module")
def written(load_adf, tmp_path_factory):
    """The folder of the pages of a red run of 250 characters of error and of a green one, and their ids."""
    folder = tmp_path_factory.mktemp("runs")
    adf = load_adf(FACTORY)
    adf.script, adf.now = "tests/answers.json", START.isoformat()
    answers = {"run_notebooks": failed("no_space_left_" * 18)}
    runs = [adf.run("pl_main", {"ingest_with": "copy"}, answers=answers), adf.run("pl_load_sql", {"run_id": "r"})]
    for run, run_id in zip(runs, ("a-red-run", "a-green-run"), strict=True):
        # In tests all runs have the same ids.
        run.record.run_id = run_id
        monitor.keep(run.record, folder)
    pages.write_pages(folder, now=START + timedelta(hours=1))
    return folder, "a-red-run", "a-green-run"


@pytest.fixture
def visit(browser):
    """Opens a file in a window; after the test it must have said and asked for nothing."""
    contexts, said = [], []

    def visit(path, width=1280, scheme="light", fragment=""):
        context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if request.url[:5] != "file:" else None)
        page.goto(path.as_uri() + fragment)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_and_columns_stand_below_their_heads(written, visit, width, scheme):
    folder, red, _ = written
    run = visit(folder / pages.page_of(red), width, scheme)
    run.check("#instant")
    assert run.evaluate(CUT) == 0
    assert run.evaluate(CROOKED, ".row") == []
    all_runs = visit(folder / "index.html", width, scheme)
    assert all_runs.evaluate(CUT) == 0
    assert all_runs.evaluate(CROOKED, ".run") == []


def test_the_list_is_filtered_and_the_filter_stands_in_the_address(written, visit):
    folder, red, _ = written
    page = visit(folder / "index.html")
    assert page.locator("a.run:visible").count() == 2
    page.select_option("[data-filter=status]", "Failed")
    assert page.locator("a.run:visible").evaluate_all("runs => runs.map(one => one.dataset.run)") == [red]
    assert page.locator("#count").text_content() == "1 run"
    assert page.locator(".trend a:visible").count() == 1
    again = visit(folder / "index.html", fragment="#status=Failed")
    assert again.locator("a.run:visible").count() == 1


def test_a_cause_leads_to_its_activity(written, visit):
    folder, red, _ = written
    page = visit(folder / pages.page_of(red))
    page.locator(".failures a").first.click()
    opened = page.locator("details.activity[open]")
    assert opened.locator("summary b").all_text_contents() == ["run_notebooks"]


def test_a_command_is_copied(written, visit):
    folder, red, _ = written
    page = visit(folder / pages.page_of(red))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("[data-copy]").first.click()
    page.locator("button", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == f"adf-lab rerun {red} --from-failed"
