"""Open-Meteo: the daily weather of one place, context that should not move a market."""

from datetime import datetime, timedelta
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import api, instants, schema
from coinlake.api import Endpoint, Request
from coinlake.sources.columns import CARRIED, day, each, finite, plain_number, whole
from coinlake.sources.source import REJECT, Expectation, Settings, Source, Target

ENDPOINT = Endpoint(
    name="weather_daily",
    group="context",
    root="https://archive-api.open-meteo.com/v1",
    path="/archive",
    query={
        "latitude": "{latitude}",
        "longitude": "{longitude}",
        "start_date": "{start}",
        "end_date": "{end}",
        "daily": "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,wind_speed_10m_max",
        "timezone": "GMT",
    },
    shape=dict,
    holds=("daily", dict),
    once_a_day=True,
)


def requests(settings: Settings, as_of: datetime) -> list[Request]:
    """The whole history up to yesterday in one request; today is not over."""
    today = instants.data_day(as_of)
    url = api.request_url(
        ENDPOINT,
        start=today - timedelta(days=settings.history_days),
        end=today - timedelta(days=1),
        latitude=settings.latitude,
        longitude=settings.longitude,
    )
    return [Request(ENDPOINT, 1, url)]


SCHEMA = """
    latitude DOUBLE, longitude DOUBLE, generationtime_ms DOUBLE, utc_offset_seconds INT, timezone STRING,
    timezone_abbreviation STRING, elevation DOUBLE, daily_units MAP<STRING, STRING>,
    daily STRUCT<time: ARRAY<STRING>, temperature_2m_max: ARRAY<STRING>, temperature_2m_min: ARRAY<STRING>,
        precipitation_sum: ARRAY<STRING>, wind_speed_10m_max: ARRAY<STRING>, windspeed_10m_max: ARRAY<STRING>,
        weather_code: ARRAY<STRING>, weathercode: ARRAY<STRING>>
"""
WEATHER_VALUES = (
    "temperature_2m_max",
    "temperature_2m_min",
    "precipitation_sum",
    "wind_speed_10m_max",
    "weather_code",
)
WEATHER_UNITS = {
    "temperature_2m_max": "°C",
    "temperature_2m_min": "°C",
    "precipitation_sum": "mm",
    "wind_speed_10m_max": "km/h",
    "windspeed_10m_max": "km/h",
}


def weather_daily(records: DataFrame) -> DataFrame:
    """Answers of Open-Meteo -> rows of weather_daily. Wind and weather code also go by their names of 2023.

    The archive names days that it has no value of yet: they are left out, unless the body has no other.
    """
    has_units = reduce(
        and_, (F.coalesce(F.col("daily_units")[name] == unit, F.lit(True)) for name, unit in WEATHER_UNITS.items())
    )

    def value(name: str, place: Column) -> Column:
        """A number, or what stands in its place, as VARIANT."""
        text = F.get(F.col(f"daily.{name}"), place)
        return F.coalesce(plain_number(text).cast("variant"), text.cast("variant"))

    days = F.transform(
        "daily.time",
        lambda time, place: F.struct(
            time.alias("time"),
            *(value(name, place).alias(name) for name in WEATHER_VALUES[:3]),
            F.coalesce(value("wind_speed_10m_max", place), value("windspeed_10m_max", place)).alias(
                "wind_speed_10m_max"
            ),
            F.coalesce(value("weather_code", place), value("weathercode", place)).alias("weather_code"),
        ),
    )
    known = F.filter(days, lambda day: F.coalesce(*(day[name] for name in WEATHER_VALUES)).isNotNull())
    has_values = F.coalesce(F.size(known) > 0, F.lit(False))
    bodies = records.withColumns(
        {"_has_units": has_units, "_has_values": has_values, "_days": F.when(has_values, known)}
    )
    numbers = {name: finite(F.try_variant_get(f"_element.{name}", "$", "double")) for name in WEATHER_VALUES}
    numbers["weather_code"] = whole(numbers["weather_code"])
    has_numbers = [F.col(f"_element.{name}").isNull() | number.isNotNull() for name, number in numbers.items()]
    return each(bodies, F.col("_days")).select(
        F.when(F.abs("latitude") <= 90, F.col("latitude")).alias("latitude"),
        F.when(F.abs("longitude") <= 180, F.col("longitude")).alias("longitude"),
        day("_element.time").alias("date"),
        "timezone",
        *(number.alias(name) for name, number in numbers.items()),
        reduce(and_, has_numbers).alias("_has_numbers"),
        "_has_units",
        "_has_values",
        *CARRIED,
    )


EXPECTATIONS = (
    Expectation("place_missing", "The body names a place on earth.", "latitude + longitude IS NOT NULL", REJECT),
    Expectation("date_missing", "A day has a date.", "date IS NOT NULL OR NOT _has_values", REJECT),
    Expectation(
        "value_impossible",
        "A value, where there is one, is a number, and the weather code a whole one.",
        "_has_numbers",
        REJECT,
    ),
    Expectation(
        "units_unknown",
        "Degrees are Celsius, lengths millimetres, speeds kilometres an hour.",
        "_has_units",
        REJECT,
    ),
    Expectation("values_missing", "A body has a day with at least one value.", "_has_values", REJECT),
)

SOURCE = Source(
    endpoint=ENDPOINT,
    requests=requests,
    settings=("history_days", "latitude", "longitude"),
    schema=SCHEMA,
    essential="daily",
    rows=weather_daily,
    expectations=EXPECTATIONS,
    targets=(Target(schema.WEATHER_DAILY),),
)
