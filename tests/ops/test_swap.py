"""What was made beside a lake takes its place whole, whenever the process that does it is killed."""

import json
from pathlib import Path

import pytest

from coinlake_ops import swap
from coinlake_ops.lake_lock import only_worker

NAMES = ("tables/raw_data", "tables/cleaned_data", "checkpoints", "warehouse.duckdb")


class Killed(BaseException):
    pass


def content(lake: Path) -> dict[str, str]:
    """Every file below a lake but the lock, with its text."""
    return {
        str(file.relative_to(lake)): file.read_text()
        for file in lake.rglob("*")
        if file.is_file() and file.name != ".lock"
    }


def tree(folder: Path, text: str) -> None:
    for name in ("tables/raw_data/a", "tables/cleaned_data/b/c", "checkpoints/d", "warehouse.duckdb"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def lake(tmp_path):
    """A lake with old tables, and new ones made beside it from its landing zone."""
    tree(tmp_path, "old")
    (tmp_path / "tables/aggregated_data").mkdir()
    (tmp_path / "tables/aggregated_data/e").write_text("stays")
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing/page").write_text("landed")
    tree(swap.beside(tmp_path), "new")
    (swap.beside(tmp_path) / "landing").symlink_to(tmp_path / "landing")
    return tmp_path


STAYS = {"tables/aggregated_data/e": "stays", "landing/page": "landed"}
OLD, NEW = (
    STAYS
    | dict.fromkeys(("tables/raw_data/a", "tables/cleaned_data/b/c", "checkpoints/d", "warehouse.duckdb"), text)
    for text in ("old", "new")
)


def test_the_new_takes_the_place_of_the_old(lake):
    swap.decide(lake, NAMES)
    assert content(lake) == NEW
    assert not swap.beside(lake).exists()


def test_what_was_not_decided_on_is_removed_and_what_it_links_to_stays(lake):
    swap.finish(lake)
    swap.discard(lake)
    assert content(lake) == OLD
    assert not swap.beside(lake).exists()


@pytest.mark.parametrize("moves", range(2 * len(NAMES) + 1))
def test_a_swap_that_was_killed_is_finished_by_the_next_worker(lake, monkeypatch, moves):
    left, rename = [moves], Path.rename

    def killed_after(source, target):
        if not left[0]:
            raise Killed
        left[0] -= 1
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", killed_after)
    monkeypatch.setattr(swap, "discard", lambda lake: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        swap.decide(lake, NAMES)
    monkeypatch.undo()
    with only_worker(lake):
        assert content(lake) == NEW
    assert not swap.beside(lake).exists()


def test_empty_tables_that_somebody_made_between_the_moves_give_way(lake):
    folder = swap.beside(lake)
    (folder / swap.DECISION).write_text(json.dumps({"names": NAMES}))
    (folder / swap.OLD / "checkpoints").mkdir(parents=True)
    (folder / swap.OLD / "checkpoints/d").write_text("old")
    (lake / "checkpoints/d").write_text("made in between")
    swap.finish(lake)
    assert content(lake) == NEW


def test_a_removal_that_was_killed_leaves_the_decision_for_last(lake, monkeypatch):
    remove, removed = swap.remove, []

    def first_only(path):
        if removed:
            raise Killed
        removed.append(path)
        remove(path)

    monkeypatch.setattr(swap, "remove", first_only)
    with pytest.raises(Killed):
        swap.decide(lake, NAMES)
    monkeypatch.undo()
    assert (swap.beside(lake) / swap.DECISION).exists()
    swap.finish(lake)
    assert content(lake) == NEW
