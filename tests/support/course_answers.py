"""What learners answer, for each exercise: right in another way than its solution, and nearly right.

Of a nearly right answer it is said which words of the explanation tell the learner what was missed.
`<name>` in an answer is a value of the learner, as in the solutions.
"""

from typing import NamedTuple


class Answers(NamedTuple):
    """Python for the exercise's cell; nearly_right: the code, and words that the explanation holds."""

    also_right: tuple[str, ...]
    nearly_right: tuple[tuple[str, str], ...]


ANSWERS = {
    "00.1": Answers(
        also_right=(
            """
            def live_files(log):
                state = {}
                for commit in sorted(path for path in log.iterdir() if path.suffix == ".json"):
                    for line in commit.read_text().splitlines():
                        for kind, action in json.loads(line).items():
                            if kind in ("add", "remove"):
                                state[action["path"]] = kind
                return [path for path, kind in state.items() if kind == "add"]
            """,
        ),
        nearly_right=(
            (
                """
                def live_files(log):
                    files = set()
                    for commit in log.glob("*.json"):
                        for action in map(json.loads, commit.read_text().splitlines()):
                            files |= {action["add"]["path"]} if "add" in action else set()
                    return files
                """,
                "that a later commit removes does not count",
            ),
            (
                """
                def live_files(log):
                    texts = [file.read_text() for file in log.glob("*.json")]
                    lines = [json.loads(line) for text in texts for line in text.splitlines()]
                    added = {line["add"]["path"] for line in lines if "add" in line}
                    return added - {line["remove"]["path"] for line in lines if "remove" in line}
                """,
                "may be added again",
            ),
        ),
    ),
    "00.2": Answers(
        also_right=(
            """
            def guard(spark, table):
                spark.sql(f"ALTER TABLE {table} ADD CONSTRAINT low CHECK (NOT coalesce(price < 0, false))")
                spark.sql(f"ALTER TABLE {table} ADD CONSTRAINT high CHECK (coalesce(price, 0) <= <limit>)")
            """,
        ),
        nearly_right=(
            (
                """
                def guard(spark, table):
                    spark.sql(f"ALTER TABLE {table} ADD CONSTRAINT high CHECK (price < <limit>)")
                """,
                "A negative price was taken",
            ),
            (
                """
                def guard(spark, table):
                    spark.sql(f"ALTER TABLE {table} ADD CONSTRAINT known CHECK (price BETWEEN 0 AND <limit>)")
                """,
                "NULL, was refused",
            ),
        ),
    ),
    "01.1": Answers(
        also_right=("answer = repr(json.loads('<came>')).replace(\"'\", '\"').replace(' ', '')",),
        nearly_right=(
            ("answer = '<came>'", "of two fields of one name"),
            ('answer = \'{"price": <price>, "rank": 1}\'', "writes that number anew"),
        ),
    ),
    "01.2": Answers(
        also_right=(
            """
            def next_move(status, body):
                if b"10006" in body:
                    return "stop"
                try:
                    parsed = json.loads(body)
                    is_data = status == 200 and "status" not in parsed
                except (ValueError, TypeError):
                    return "ask again"
                if is_data:
                    return "keep"
                return "go on" if 400 <= status < 500 and status != 429 else "ask again"
            """,
        ),
        nearly_right=(
            (
                """
                def next_move(status, body):
                    if b"10006" in body:
                        return "stop"
                    return "keep" if status == 200 else "go on" if status == 404 else "ask again"
                """,
                "cut off is no data",
            ),
            (
                """
                def next_move(status, body):
                    try:
                        json.loads(body)
                    except ValueError:
                        return "ask again"
                    return "keep" if status == 200 else "go on" if status == 404 else "ask again"
                """,
                "does not make data of an error",
            ),
        ),
    ),
    "01.3": Answers(
        also_right=(
            """
            def publish(files, target):
                import os, tempfile
                target.parent.mkdir(parents=True, exist_ok=True)
                staging = tempfile.mkdtemp(dir=target.parent)
                for name, content in files.items():
                    with open(os.path.join(staging, name), "wb") as file:
                        file.write(content)
                os.replace(staging, target)
            """,
        ),
        nearly_right=(
            (
                """
                def publish(files, target):
                    target.mkdir(parents=True)
                    for name, content in files.items():
                        (target / name).write_bytes(content)
                """,
                "readers find 1 of 3 files",
            ),
            (
                """
                def publish(files, target):
                    staging = target.with_name("staging")
                    staging.mkdir(parents=True)
                    for name, content in files.items():
                        (staging / name).write_bytes(content)
                    staging.rename(target)
                """,
                "FileExistsError",
            ),
        ),
    ),
    "02.1": Answers(
        also_right=(
            """
            def carry_over(rates, days):
                carried = {}
                for day in days:
                    earlier = sorted(known for known in rates if known <= day)
                    carried[day] = rates[earlier[-1]] if earlier else None
                return carried
            """,
        ),
        nearly_right=(
            ("def carry_over(rates, days): return {day: rates.get(day) for day in days}", "have Friday's rate"),
            (
                """
                def carry_over(rates, days):
                    nearest = lambda day: max((known for known in rates if known <= day), default=min(rates))
                    return {day: rates[nearest(day)] for day in days}
                """,
                "must not be carried back",
            ),
            (
                """
                def carry_over(rates, days):
                    carried, newest = {}, None
                    for day in sorted({*days, *rates}):
                        newest = rates.get(day, newest)
                        carried[day] = newest
                    return carried
                """,
                "A business day has its own rate",
            ),
        ),
    ),
    "02.2": Answers(
        also_right=(
            """
            def is_due(answered_at, now):
                day = lambda at: (at.timestamp() - 45 * 60) // 86400
                return answered_at is None or day(now) > day(answered_at)
            """,
        ),
        nearly_right=(
            (
                "def is_due(answered_at, now): return answered_at is None or now.date() > answered_at.date()",
                "00:45",
            ),
            (
                """
                def is_due(answered_at, now):
                    return answered_at is None or now - answered_at >= timedelta(days=1)
                """,
                "The next day has another answer",
            ),
        ),
    ),
    "02.3": Answers(
        also_right=("answer = float(3 * <days> + <hours>)",),
        nearly_right=(
            ("answer = 3 * <days>", "is asked again an hour later"),
            ("answer = 3 * <days> * 24", "find nothing to ask"),
            ("answer = 3 * (<days> + <hours>)", "the other two have answered"),
        ),
    ),
    "03.1": Answers(
        also_right=(
            '''
            def upsert(batch, target):
                batch.createOrReplaceTempView("page")
                batch.sparkSession.sql(f"""
                    MERGE INTO {target} AS t
                    USING (
                        SELECT * EXCEPT (place) FROM (
                            SELECT *, row_number() OVER (PARTITION BY coin_id ORDER BY fetched_at DESC) AS place
                            FROM page
                        ) WHERE place = 1
                    ) AS s ON s.coin_id = t.coin_id
                    WHEN MATCHED AND t.fetched_at < s.fetched_at THEN UPDATE SET *
                    WHEN NOT MATCHED THEN INSERT *
                """)
            ''',
        ),
        nearly_right=(
            (
                """
                def upsert(batch, target):
                    batch.writeTo(target).append()
                """,
                "names a coin twice",
            ),
            (
                '''
                def upsert(batch, target):
                    batch.createOrReplaceTempView("page")
                    batch.sparkSession.sql(f"""
                        MERGE INTO {target} AS t
                        USING (
                            SELECT newest.* FROM (
                                SELECT max_by(struct(*), fetched_at) AS newest FROM page GROUP BY coin_id
                            )
                        ) AS s ON s.coin_id = t.coin_id
                        WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *
                    """)
                ''',
                "must not replace what is newer",
            ),
        ),
    ),
    "03.2": Answers(
        also_right=('condition = "NOT coalesce(high_24h < low_24h, false)"',),
        nearly_right=(
            ('condition = "high_24h >= low_24h"', "NULL is no lie"),
            ('condition = "true"', "below the lowest one cannot be"),
            ('condition = "high_24h > low_24h OR high_24h IS NULL OR low_24h IS NULL"', "does not move"),
        ),
    ),
    "03.3": Answers(
        also_right=(
            "answer = len(set().union(*(range(n * <apart>, n * <apart> + 168) for n in range(<pages>))))",
        ),
        nearly_right=(
            ("answer = 168 * <pages>", "a key is there once"),
            ("answer = 168 + <apart> * <pages>", "only the pages after it"),
        ),
    ),
    "04.1": Answers(
        also_right=(
            """
            def average(closes, days):
                from pyspark.sql import Window
                window = Window.partitionBy("coin_id").orderBy(F.unix_date("date")).rangeBetween(1 - days, 0)
                full = F.count("close").over(window) == days
                return closes.withColumn("average", F.when(full, F.avg("close").over(window)))
            """,
        ),
        nearly_right=(
            (
                """
                def average(closes, days):
                    from pyspark.sql import Window
                    window = Window.partitionBy("coin_id").orderBy("date").rowsBetween(1 - days, 0)
                    full = F.count("close").over(window) == days
                    return closes.withColumn("average", F.when(full, F.avg("close").over(window)))
                """,
                "The 4th is missing",
            ),
            (
                """
                def average(closes, days):
                    from pyspark.sql import Window
                    window = Window.partitionBy("coin_id").orderBy(F.unix_date("date")).rangeBetween(1 - days, 0)
                    return closes.withColumn("average", F.avg("close").over(window))
                """,
                "Before three days exist",
            ),
        ),
    ),
    "04.2": Answers(
        also_right=(
            """
            def versions(sightings):
                from pyspark.sql import Window
                by_time = Window.partitionBy("coin_id").orderBy("seen_at")
                is_new = ~F.lag("symbol").over(by_time).eqNullSafe(F.col("symbol"))
                is_new |= ~F.lag("name").over(by_time).eqNullSafe(F.col("name"))
                begun = sightings.withColumn("is_new", is_new).where("is_new")
                ended = begun.withColumn("valid_to", F.lead("seen_at").over(by_time))
                return ended.withColumnRenamed("seen_at", "valid_from").drop("is_new")
            """,
        ),
        nearly_right=(
            (
                """
                def versions(sightings):
                    grouped = sightings.groupBy("coin_id", "symbol", "name")
                    grouped = grouped.agg(F.min("seen_at").alias("valid_from"))
                    return grouped.withColumn("valid_to", F.lit(None).cast("string"))
                """,
                "a version of its own",
            ),
            (
                '''
                def versions(sightings):
                    sightings.createOrReplaceTempView("seen")
                    return sightings.sparkSession.sql("""
                        SELECT coin_id, symbol, name, seen_at AS valid_from,
                            lead(seen_at) OVER (PARTITION BY coin_id ORDER BY seen_at) AS valid_to
                        FROM (
                            SELECT *, lag(symbol) OVER (PARTITION BY coin_id ORDER BY seen_at) AS before FROM seen
                        )
                        WHERE before IS DISTINCT FROM symbol
                    """)
                ''',
                "either may change alone",
            ),
        ),
    ),
    "04.3": Answers(
        also_right=("answer = sum(1 for day in range(<after> + 1) if day < <days>)",),
        nearly_right=(
            ("answer = <days> + 1", "count the first and the last one"),
            ("answer = 2 * <after> + <days>", "On which day does the first window end"),
        ),
    ),
    "05.1": Answers(
        also_right=(
            '''
            question = """
            SELECT SUM(CASE WHEN decliners < advancers THEN 1 ELSE 0 END)
                / CAST(NULLIF(COUNT(*), 0) AS FLOAT(53)) AS part
            FROM reporting.market_day"""
            ''',
        ),
        nearly_right=(
            (
                'question = "SELECT advancers / decliners AS part FROM reporting.market_day"',
                "The translator refuses it",
            ),
            (
                '''
                question = """
                SELECT CAST(SUM(CASE WHEN advancers >= decliners THEN 1 ELSE 0 END) AS FLOAT(53))
                    / NULLIF(COUNT(*), 0) AS part
                FROM reporting.market_day"""
                ''',
                "as many rose as fell",
            ),
        ),
    ),
    "05.2": Answers(
        also_right=(
            """
            def load(database, rows, sent):
                database.begin()
                try:
                    database.execute("DELETE FROM staging.prices")
                    for row in rows:
                        database.execute("INSERT INTO staging.prices VALUES (?, ?)", row)
                    assert len(database.execute("SELECT * FROM staging.prices").fetchall()) == sent
                    known = "SELECT coin_id FROM staging.prices"
                    database.execute(f"DELETE FROM target.prices WHERE coin_id IN ({known})")
                    database.execute("INSERT INTO target.prices SELECT * FROM staging.prices")
                    database.execute("INSERT INTO target.load_log VALUES (?)", [sent])
                except BaseException:
                    database.rollback()
                    raise
                database.commit()
            """,
        ),
        nearly_right=(
            (
                """
                def load(database, rows, sent):
                    database.executemany("INSERT INTO staging.prices VALUES (?, ?)", rows)
                    database.execute("INSERT OR REPLACE INTO target.prices SELECT * FROM staging.prices")
                    database.execute("INSERT INTO target.load_log VALUES (?)", [sent])
                """,
                "left-over",
            ),
            (
                """
                def load(database, rows, sent):
                    database.execute("DELETE FROM staging.prices")
                    database.executemany("INSERT INTO staging.prices VALUES (?, ?)", rows)
                    if database.execute("SELECT COUNT(*) FROM staging.prices").fetchone()[0] != sent:
                        return
                    database.execute("INSERT OR REPLACE INTO target.prices SELECT * FROM staging.prices")
                    database.execute("INSERT INTO target.load_log VALUES (?)", [sent])
                """,
                "nobody was told",
            ),
            (
                """
                def load(database, rows, sent):
                    database.execute("DELETE FROM staging.prices")
                    database.executemany("INSERT INTO staging.prices VALUES (?, ?)", rows)
                    assert database.execute("SELECT COUNT(*) FROM staging.prices").fetchone()[0] == sent
                    database.execute("INSERT OR REPLACE INTO target.prices SELECT * FROM staging.prices")
                    database.execute("INSERT INTO target.load_log VALUES (?)", [sent])
                """,
                "prices without a log are half a load",
            ),
        ),
    ),
    "06.1": Answers(
        also_right=(
            """
            def above(averages, days):
                last = averages[averages["date"] == averages.groupby("coin_id")["date"].transform("max")]
                return len(last[last["close"] > last[f"average_{days}d"]])
            """,
        ),
        nearly_right=(
            (
                """
                def above(averages, days):
                    newest = averages.groupby("coin_id").tail(1)
                    return int((newest["close"] > newest[f"average_{days}d"]).sum())
                """,
                "whatever the order of the rows",
            ),
            (
                """
                def above(averages, days):
                    newest = averages.sort_values("date").groupby("coin_id").tail(1)
                    return int((~(newest["close"] <= newest[f"average_{days}d"])).sum())
                """,
                "not there is not below",
            ),
        ),
    ),
    "06.2": Answers(
        also_right=(
            """
            def headline(name, change):
                if pd.isna(change):
                    return f"{name} has no history yet"
                text = f"{abs(change):.1%}".replace("%", " %")
                verb = "rose" if change > 0 else "fell"
                return f"{name} stood still" if text == "0.0 %" else f"{name} {verb} {text}"
            """,
        ),
        nearly_right=(
            (
                """
                def headline(name, change):
                    return f"{name} {'rose' if change > 0 else 'fell'} {round(change * 100, 1)} %"
                """,
                "so the number has no sign",
            ),
            (
                """
                def headline(name, change):
                    if change == 0:
                        return f"{name} stood still"
                    return f"{name} {'rose' if change > 0 else 'fell'} {round(abs(change) * 100, 1)} %"
                """,
                "would see as 0.0 %",
            ),
        ),
    ),
    "07.1": Answers(
        also_right=(
            """
            def deepest(close):
                highest, worst = float("-inf"), (0.0, close.index[0])
                for day, price in close.dropna().items():
                    highest = max(highest, price)
                    worst = min(worst, (price / highest - 1, day), key=lambda each: each[0])
                return worst
            """,
        ),
        nearly_right=(
            (
                """
                def deepest(close):
                    drawdown = close / close.iloc[0] - 1
                    return drawdown.min(), drawdown.idxmin()
                """,
                "not at the first one",
            ),
            (
                """
                def deepest(close):
                    drawdown = close / close.max() - 1
                    return drawdown.min(), drawdown.idxmin()
                """,
                "the highest close so far",
            ),
        ),
    ),
    "07.2": Answers(
        also_right=(
            """
            def volatility(close):
                import math, statistics
                prices = close.tolist()[-31:]
                returns = [math.log(after / before) for before, after in zip(prices, prices[1:])]
                return statistics.stdev(returns) * math.sqrt(365) if len(returns) == 30 else None
            """,
        ),
        nearly_right=(
            (
                """
                def volatility(close):
                    returns = close.pct_change().dropna().tail(30)
                    return returns.std() * 365 ** 0.5 if len(returns) == 30 else None
                """,
                "of 30 log returns",
            ),
            (
                """
                def volatility(close):
                    import numpy as np
                    return np.log(close).diff().tail(30).std() * np.sqrt(365)
                """,
                "a window that is not full",
            ),
        ),
    ),
    "08.1": Answers(
        also_right=(
            """
            def slowest(run_steps):
                medians = run_steps.dropna().groupby("step").agg({"seconds": "median"}).sort_values("seconds")
                return next(iter(medians.index[::-1]), None)
            """,
        ),
        nearly_right=(
            (
                "def slowest(run_steps): return run_steps.groupby('step')['seconds'].mean().idxmax()",
                "moves the mean",
            ),
            ("def slowest(run_steps): return run_steps.groupby('step')['seconds'].median().idxmax()", "Error"),
        ),
    ),
    "08.2": Answers(
        also_right=(
            """
            def share_landed(api_usage):
                attempts, landed = api_usage["attempts"].sum(), api_usage["landed"].sum()
                return None if attempts == 0 else float(landed) / float(attempts)
            """,
        ),
        nearly_right=(
            (
                "def share_landed(api_usage): return (api_usage['landed'] / api_usage['attempts']).mean()",
                "must not weigh as much",
            ),
            (
                "def share_landed(api_usage): return api_usage['landed'].sum() / api_usage['attempts'].sum()",
                "ZeroDivisionError",
            ),
        ),
    ),
}
