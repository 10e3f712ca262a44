"""The pages of the course: what they link to is there, in the notebooks, the drills and the glossary."""

import re

import nbformat
import pytest

from coinlake import course
from coinlake_ops import notebooks
from coinlake_ops.project import ROOT

NOTEBOOKS = [*notebooks.all_paths(), *sorted((notebooks.FOLDER / "drills").glob("*.ipynb"))]
PAGES = [ROOT / "COURSE.md", ROOT / "GLOSSARY.md", *NOTEBOOKS]
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")


def text_of(page):
    if page.suffix == ".md":
        return page.read_text(encoding="utf-8")
    cells = nbformat.read(page, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def anchors(page):
    """What a browser finds headings by, as GitHub and JupyterLab name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page):
    for target, anchor in LINK.findall(text_of(page)):
        found = (page.parent / target) if target else page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), (target, anchor)


def test_the_start_page_leads_to_all_notebooks_and_drills():
    linked = {target for target, _ in LINK.findall(text_of(ROOT / "COURSE.md"))}
    assert {str(path.relative_to(ROOT)) for path in NOTEBOOKS} <= linked
    assert all(f"| {kind} |" in text_of(ROOT / "COURSE.md") for kind in course.KINDS)


def test_a_word_of_the_glossary_stands_there_once_and_is_met_in_the_course():
    assert len(anchors(ROOT / "GLOSSARY.md")) == len({*anchors(ROOT / "GLOSSARY.md")})
    linked = {
        anchor for page in NOTEBOOKS for target, anchor in LINK.findall(text_of(page)) if "GLOSSARY" in target
    }
    assert len(linked) >= 20
