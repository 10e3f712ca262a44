from coinlake_ops.deploy.pruning import pruned, restricted
from coinlake_ops.desired_state import Item, details, difference


def test_what_is_missing_comes_first_and_what_is_too_much_goes_last_against_its_order():
    desired = [Item("folder", "a"), Item("file", "a/b", 1), Item("file", "a/c", 2)]
    live = [Item("folder", "old"), Item("file", "old/x", 9), Item("folder", "a"), Item("file", "a/c", 1)]
    assert difference(desired, live) == [
        ("create", Item("file", "a/b", 1), None, ()),
        ("update", Item("file", "a/c", 2), Item("file", "a/c", 1), ("content: 1 -> 2",)),
        ("delete", Item("file", "old/x", 9), Item("file", "old/x", 9), ()),
        ("delete", Item("folder", "old"), Item("folder", "old"), ()),
    ]


def test_what_is_the_same_is_no_difference():
    items = [Item("folder", "a", {"x": [1, {"y": None}]})]
    assert difference(items, [Item("folder", "a", {"x": [1, {"y": None}]})]) == []


def test_details_name_the_place_and_both_values():
    desired = {"a": 1, "b": {"c": "new", "d": [1, 2]}, "e": "x" * 80}
    live = {"a": 1, "b": {"c": "old", "d": [1, 2]}, "f": True}
    assert list(details(desired, live)) == [
        "b.c: 'old' -> 'new'",
        f"e: nothing -> '{'x' * 59}…",
        "f: True -> nothing",
    ]


def test_pruning_takes_what_says_nothing_and_leaves_zero_and_false():
    assert pruned(
        {"a": None, "b": "", "c": [], "d": {"e": None}, "f": 0, "g": False, "h": [{"i": None}, "j"], "etag": "x"},
        without=("etag",),
    ) == {"f": 0, "g": False, "h": [{}, "j"]}


def test_what_a_service_adds_is_no_difference_and_what_it_lost_or_lists_besides_is():
    desired = {"tasks": [{"task_key": "a", "max_retries": 1}, {"task_key": "b"}], "queue": {"enabled": True}}
    there = {
        "timeout_seconds": 0,
        "queue": {"enabled": True},
        "tasks": [{"task_key": "b", "retry": False}, {"task_key": "a", "max_retries": 1, "emails": {}}],
    }
    assert restricted(there, desired) == desired

    there["tasks"][1]["max_retries"] = 5
    there["tasks"].append({"task_key": "c"})
    del there["queue"]
    assert restricted(there, desired) == {
        "tasks": [{"task_key": "a", "max_retries": 5}, {"task_key": "b"}, {"task_key": "c"}]
    }


def test_lines_of_a_text_keep_their_order():
    assert restricted({"lines": ["b", "a"]}, {"lines": ["a", "b"]}) == {"lines": ["b", "a"]}
