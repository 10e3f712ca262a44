"""What of a JSON record did not fit its schema: column expressions, built-in functions only.

A record is parsed twice: into `typed`, a struct of the schema, and into `present`, a MAP<STRING, VARIANT> of
what was really there. A token that is present while its typed value is NULL did not fit; the parser itself
decides that, so no rule about types is written a second time here.

Rules: "rescued data column" in docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/schema.
"""

from collections.abc import Callable
from functools import reduce
from operator import add

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructType, VariantType

PRESENT = "map<string,variant>"


def rescued(typed: Column, present: Column, schema: StructType) -> Column:
    """MAP<STRING, VARIANT> of all that the typed record lost; NULL or empty where nothing was lost.

    That is: fields that the schema does not have, fields whose name differs in case, and values of another
    type. Inside a struct only the lost part is kept, under the struct's name; an array or map with a lost
    part is kept whole.
    """
    return F.when(_is_suspect(typed, present, schema), _lost(typed, present, schema))


def unknown(typed: Column, present: Column, schema: StructType) -> Column:
    """MAP<STRING, VARIANT> of fields, also inside structs, that the schema lacks; NULL or empty if none.

    A name that differs only in case is no new field, and neither is an empty object: it has no type.
    """
    return F.when(_is_suspect(typed, present, schema), _new(typed, present, schema))


def with_schema_case(record: Column, schema: StructType) -> Column:
    """The MAP<STRING, VARIANT> with each name written as in the schema, whatever its case in the file."""
    names = {field.name.lower(): field.name for field in schema.fields}
    spelled = F.create_map(*(F.lit(part) for pair in names.items() for part in pair))
    renamed = F.transform_keys(record, lambda name, _: F.coalesce(spelled[F.lower(name)], name))
    nested = {field.name: field.dataType for field in schema.fields if _has_names(field.dataType)}
    if not nested:
        return renamed

    def value_in_schema_case(name: Column, value: Column) -> Column:
        cases = [F.when(name == field, _value_with_schema_case(value, kind)) for field, kind in nested.items()]
        return F.coalesce(*cases, value)

    return F.transform_values(renamed, value_in_schema_case)


def as_map(value: Column) -> Column:
    """A VARIANT object as MAP<STRING, VARIANT>; NULL for any other value."""
    return F.try_variant_get(value, "$", PRESENT)


def _is_present(value: Column) -> Column:
    """Whether there is a token that is not JSON's null (which is a VARIANT, but no SQL NULL)."""
    return value.isNotNull() & ~F.is_variant_null(value)


def _blank(typed: Column, schema: StructType) -> Column:
    """The names of the fields whose typed value is NULL, among NULLs for the others."""
    return F.array(*(F.when(typed[field.name].isNull(), field.name) for field in schema.fields))


def _once(value: Column, use: Callable[[Column], Column]) -> Column:
    """`use(value)` with the value computed once, however often `use` reads it."""
    return F.transform(F.array(value), use)[0]


def _filled(typed: Column, schema: StructType) -> Column:
    """How many fields have a typed value."""
    return reduce(add, (typed[field.name].isNotNull().cast("int") for field in schema.fields), F.lit(0))


def _is_suspect(typed: Column, present: Column, schema: StructType) -> Column:
    """Whether something may be lost: cheap, and never wrongly false.

    Nearly all records are clean: each of their fields has a typed value or is a null of a known name. So the
    fields are counted, and looked up only where the typed value is NULL.
    """
    nulls = F.filter(_blank(typed, schema), lambda name: F.is_variant_null(present[name]))
    suspect = F.size(present) > _filled(typed, schema) + F.size(nulls)
    for field in schema.fields:
        fitted, value, kind = typed[field.name], present[field.name], field.dataType
        if isinstance(kind, StructType):
            suspect = suspect | (fitted.isNotNull() & _is_suspect(fitted, as_map(value), kind))
        elif isinstance(kind, ArrayType | MapType):
            suspect = suspect | F.coalesce(_may_have_holes(fitted, kind), F.lit(False))
    return suspect


def _may_have_holes(typed: Column, kind: DataType) -> Column:
    """Whether an array or map has a NULL in it, or structs, which may have lost something."""
    if isinstance(kind, MapType):
        return _may_have_holes(F.map_values(typed), ArrayType(kind.valueType))
    if not isinstance(kind, ArrayType) or _takes_anything(kind.elementType):
        return F.lit(False)
    if isinstance(kind.elementType, StructType):
        return F.size(typed) > 0
    return F.exists(typed, lambda each: each.isNull() | _may_have_holes(each, kind.elementType))


def _lost(typed: Column, present: Column, schema: StructType) -> Column:
    known = F.array(*(F.lit(field.name) for field in schema.fields))

    def without_a_place(blank: Column) -> Column:
        nulls = F.filter(blank, lambda name: F.is_variant_null(present[name]))
        misfits = F.filter(blank, lambda name: _is_present(present[name]))
        strange = F.map_filter(present, lambda name, _: ~F.array_contains(known, name))
        has_strange = F.size(present) > _filled(typed, schema) + F.size(nulls) + F.size(misfits)
        return F.map_concat(
            F.when(has_strange, strange).otherwise(_entries({})),
            F.map_from_arrays(misfits, F.transform(misfits, lambda name: present[name])),
        )

    parts = {}
    for field in schema.fields:
        value, fitted, kind = present[field.name], typed[field.name], field.dataType
        if isinstance(kind, StructType):
            parts[field.name] = F.when(fitted.isNotNull(), _to_variant(_lost(fitted, as_map(value), kind)))
        elif isinstance(kind, ArrayType | MapType):
            parts[field.name] = F.when(fitted.isNotNull() & _loses(fitted, value, kind), value)
    misfits = _once(_blank(typed, schema), without_a_place)
    return F.map_concat(misfits, _entries(parts)) if parts else misfits


def _new(typed: Column, present: Column, schema: StructType) -> Column:
    names = F.array(*(F.lit(field.name.lower()) for field in schema.fields))
    strange = F.map_filter(
        present, lambda name, value: ~F.array_contains(names, F.lower(name)) & (F.to_json(value) != "{}")
    )
    parts = {}
    for field in schema.fields:
        if isinstance(field.dataType, StructType):
            value, fitted = present[field.name], typed[field.name]
            inner = _to_variant(_new(fitted, as_map(value), field.dataType))
            parts[field.name] = F.when(fitted.isNotNull(), inner)
    return F.map_concat(strange, _entries(parts))


def _loses(typed: Column, value: Column, kind: DataType) -> Column:
    """Whether the typed value lacks a part of the VARIANT value; NULL or false if not."""
    if _takes_anything(kind):
        return F.lit(False)
    missing = typed.isNull()
    if isinstance(kind, StructType):
        missing = missing | (F.size(_lost(typed, as_map(value), kind)) > 0)
    elif isinstance(kind, ArrayType):
        pairs = F.arrays_zip(typed.alias("typed"), F.try_variant_get(value, "$", "array<variant>").alias("value"))
        missing = missing | F.exists(pairs, lambda pair: _loses(pair["typed"], pair["value"], kind.elementType))
    elif isinstance(kind, MapType):
        there = F.map_entries(as_map(value))
        missing = missing | F.exists(
            there, lambda entry: _loses(typed[entry["key"]], entry["value"], kind.valueType)
        )
    return _is_present(value) & F.coalesce(missing, F.lit(False))


def _takes_anything(kind: DataType) -> bool:
    return isinstance(kind, StringType | VariantType)


def _has_names(kind: DataType) -> bool:
    return isinstance(kind, StructType) or (isinstance(kind, ArrayType) and _has_names(kind.elementType))


def _value_with_schema_case(value: Column, kind: DataType) -> Column:
    if isinstance(kind, StructType):
        return _to_variant(with_schema_case(as_map(value), kind))
    if not isinstance(kind, ArrayType):
        return value
    elements = F.try_variant_get(value, "$", "array<variant>")
    spelled = F.transform(elements, lambda each: F.coalesce(_value_with_schema_case(each, kind.elementType), each))
    return F.parse_json(F.to_json(spelled))


def _to_variant(record: Column) -> Column:
    return _once(record, lambda each: F.when(F.size(each) > 0, F.parse_json(F.to_json(each))))


def _entries(parts: dict[str, Column]) -> Column:
    """The parts that are not NULL, as MAP<STRING, VARIANT>."""
    if not parts:
        return F.expr(f"cast(map() as {PRESENT})")
    entries = F.array(*(F.struct(F.lit(name).alias("key"), value.alias("value")) for name, value in parts.items()))
    return F.map_from_entries(F.filter(entries, lambda entry: entry["value"].isNotNull()))
