"""Collection functions. Source: control-flow-expression-language-functions, "Collection functions"."""

from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.registry import function
from adf_lab.expressions.values import equal, from_units, kind_of, to_text, to_units


@function("contains(collection: string|array|object, item: any) -> boolean")
def contains(collection, item):
    """Whether a text has a part, an array an item of the same kind, an object a key in any case."""
    if isinstance(collection, list):
        return any(equal(member, item) for member in collection)
    if not isinstance(item, str):
        raise ExpressionError(
            f"contains was given {kind_of(item)} to look for in {kind_of(collection)}: look for a string."
        )
    if isinstance(collection, dict):
        return item.lower() in map(str.lower, collection)
    return item in collection


@function("empty(collection: string|array|object|null) -> boolean")
def empty(collection):
    """Whether a collection has nothing in it; null has nothing."""
    return not collection


@function("first(collection: string|array) -> any")
def first(collection):
    """The first character or item; an empty text for an empty text, null for an empty array."""
    return _part(collection, slice(0, 1))


@function("last(collection: string|array) -> any")
def last(collection):
    """The last character or item; an empty text for an empty text, null for an empty array."""
    return _part(collection, slice(-1, None))


def _part(collection, where):
    if isinstance(collection, str):
        return from_units(to_units(collection)[where])
    return next(iter(collection[where]), None)


@function("intersection(first: array|object, others+: array|object) -> array|object")
def intersection(*collections):
    """What all collections have: equal items once, in the order of the first; members equal in name and value."""
    _require_one_kind("intersection", collections)
    start, *others = collections
    if isinstance(start, list):
        return _distinct(
            item for item in start if all(any(equal(item, member) for member in other) for other in others)
        )
    return {
        name: value
        for name, value in start.items()
        if all(name in other and equal(value, other[name]) for other in others)
    }


@function("union(first: array|object, others+: array|object) -> array|object")
def union(*collections):
    """What any collection has: items once, in order; of members with one name the last value."""
    _require_one_kind("union", collections)
    if isinstance(collections[0], list):
        return _distinct(item for collection in collections for item in collection)
    return {name: value for collection in collections for name, value in collection.items()}


def _require_one_kind(name, collections):
    kinds = sorted({kind_of(collection) for collection in collections})
    if len(kinds) > 1:
        raise ExpressionError(f"{name} was given {' and '.join(kinds)}: all must be of one kind.")


def _distinct(items):
    """Items without repetition, in order. Texts and numbers are found by hash, the others by comparison."""
    kept: list = []
    seen = set()
    for item in items:
        if isinstance(item, list | dict):
            if not any(equal(item, member) for member in kept):
                kept.append(item)
        elif (type(item), item) not in seen:
            seen.add((type(item), item))
            kept.append(item)
    return kept


@function("join(items: array, delimiter: string) -> string")
def join(items, delimiter):
    """The texts of all items with a delimiter between them."""
    return delimiter.join(map(to_text, items))


@function("length(collection: string|array) -> integer")
def length(collection):
    """The number of characters or items."""
    return len(to_units(collection)) if isinstance(collection, str) else len(collection)


@function("skip(collection: string|array, count: integer) -> string|array")
def skip(collection, count):
    """A collection without its first characters or items."""
    return _slice("skip", collection, count, slice(count, None))


@function("take(collection: string|array, count: integer) -> string|array")
def take(collection, count):
    """The first characters or items of a collection."""
    return _slice("take", collection, count, slice(0, count))


def _slice(name, collection, count, where):
    if count < 0:
        raise ExpressionError(f"{name} was given the count {count}: it must not be negative.")
    return from_units(to_units(collection)[where]) if isinstance(collection, str) else collection[where]
