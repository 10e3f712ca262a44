"""What learners answer in the drills: right in another way than the solution, and nearly right."""

from tests.support.course_answers import Answers

ANSWERS = {
    "D1.1": Answers(
        also_right=(
            """
            files_of_version_2 = [
                file.rsplit("/")[-1]
                for file in spark.read.format("delta").option("versionAsOf", 2).load(f"{place}/moods").inputFiles()
            ]
            """,
        ),
        nearly_right=(
            ("files_of_version_2 = [file.name for file in (place / 'moods').glob('*.parquet')]", "has removed"),
            ("files_of_version_2 = []", "you name 0 of them"),
        ),
    ),
    "D1.2": Answers(
        also_right=("before_the_accident = 2.0 // 1 and 2",),
        nearly_right=(
            ("before_the_accident = 3", "the accident itself"),
            ("before_the_accident = 4", "the DELETE"),
        ),
    ),
    "D1.3": Answers(
        also_right=(
            """
            spark.sql(f"RESTORE TABLE {moods} TO VERSION AS OF 2")
            spark.sql(f"INSERT INTO {moods} VALUES (9, 59)")
            """,
        ),
        nearly_right=(
            ('spark.sql(f"RESTORE TABLE {moods} TO VERSION AS OF 2")', "Day 9 was written after the accident"),
            ('spark.sql(f"INSERT INTO {moods} SELECT * FROM {moods} VERSION AS OF 2")', "there twice"),
        ),
    ),
    "D2.1": Answers(
        also_right=("rows_after_the_repetition = 3 * <rows> + <rows>",),
        nearly_right=(
            ("rows_after_the_repetition = 3 * <rows>", "is written again"),
            ("rows_after_the_repetition = 6 * <rows>", "Only the batch without its commit"),
        ),
    ),
    "D2.2": Answers(
        also_right=(
            '''
            def write_once(batch, batch_id, target):
                batch.createOrReplaceTempView("trades_of_batch")
                batch.sparkSession.sql(f"""
                    MERGE INTO delta.`{target}` AS t USING trades_of_batch AS s ON t.trade = s.trade
                    WHEN NOT MATCHED THEN INSERT *
                """)
            ''',
        ),
        nearly_right=(
            (
                """
                def write_once(batch, batch_id, target):
                    batch.write.format("delta").mode("append").save(target)
                """,
                "Batch 1 came twice",
            ),
            (
                """
                def write_once(batch, batch_id, target):
                    batch.write.format("delta").mode("overwrite").save(target)
                """,
                "should be there once each",
            ),
        ),
    ),
    "D3.1": Answers(
        also_right=(
            """
            def fold(table, page):
                for hour, price, fetched_at in page:
                    table[hour] = max(table.get(hour, (0.0, "")), (price, fetched_at), key=lambda row: row[1])
                return table
            """,
        ),
        nearly_right=(
            (
                """
                def fold(table, page):
                    return table | {hour: (price, fetched_at) for hour, price, fetched_at in page}
                """,
                "each hour's last word counts",
            ),
            (
                """
                def fold(table, page):
                    return {hour: (price, fetched_at) for hour, price, fetched_at in page} | table
                """,
                "each hour's last word counts",
            ),
        ),
    ),
    "D3.2": Answers(
        also_right=(
            """
            texts = course.mine("D3.2")["arrivals"]
            seen = [int(text[:2]) * 60 + int(text[3:]) for text in texts]
            lost = {text for place, text in enumerate(texts) if seen[place] < max(seen[: place + 1]) - 60}
            """,
        ),
        nearly_right=(
            ("lost = []", "There are more of them"),
            ("lost = course.mine('D3.2')['arrivals']", "late by an hour at most is still taken"),
        ),
    ),
    "D4.1": Answers(
        also_right=(
            """
            by_reason = {}
            for reasons in examined["_reasons"]:
                for reason in reasons:
                    by_reason[reason] = by_reason.get(reason, 0) + 1
            """,
        ),
        nearly_right=(
            ("by_reason = {'price_missing': 1}", "different reasons"),
            (
                "by_reason = {reason: 99 for reason in examined['_reasons'].explode().dropna()}",
                "their numbers are not",
            ),
        ),
    ),
    "D4.2": Answers(
        also_right=(
            """
            def volume(total_volume, rescued):
                told = json.loads(rescued or "{}").get("total_volume")
                is_number = isinstance(told, str) and told.replace(".", "", 1).isdigit()
                return total_volume if total_volume is not None else float(told) if is_number else None
            """,
        ),
        nearly_right=(
            (
                """
                def volume(total_volume, rescued):
                    return total_volume or (float(json.loads(rescued)["total_volume"]) if rescued else None)
                """,
                "It raised KeyError",
            ),
            (
                """
                def volume(total_volume, rescued):
                    try:
                        return total_volume or float(json.loads(rescued)["total_volume"])
                    except (KeyError, TypeError, ValueError):
                        return None
                """,
                "0 is a value",
            ),
        ),
    ),
    "D5.1": Answers(
        also_right=(
            """
            import re
            of_coin = b'"id":"%s".*?"current_price":' % coin["id"].encode()
            offset = re.search(of_coin, body).end()
            """,
        ),
        nearly_right=(
            (
                "offset = body.index(b'\"current_price\":') + len(b'\"current_price\":')",
                "At that place of the body",
            ),
            ("offset = body.index(coin['id'].encode())", "At that place of the body stands"),
        ),
    ),
    "D5.2": Answers(
        also_right=(
            """
            for each in lines:
                try:
                    landing.read(each)
                except errors.LandingError:
                    spoilt = str(landing.body_path(each))
            """,
        ),
        nearly_right=(
            ("spoilt = lines[course.mine('D5.2')['place'] - 1]['file']", "byte for byte what came"),
            ("spoilt = 'p0001.json'", "byte for byte what came"),
        ),
    ),
    "D6.1": Answers(
        also_right=('skipped = ["return_results", "load", "clean_up"]',),
        nearly_right=(
            ('skipped = {"clean_up"}', "follow the arrows to the end"),
            ('skipped = {"clean_up", "load", "return_results", "note_failure"}', "this is their hour"),
            ('skipped = {"run_notebooks", "clean_up", "load", "return_results"}', "what fails itself, has begun"),
        ),
    ),
    "D6.2": Answers(
        also_right=('status = " succeeded" if <failures> <= 2 else "failed"',),
        nearly_right=(
            ('status = "Failed" if <failures> < 3 else "Succeeded"', "three attempts in all"),
            ('status = "Completed"', "three attempts in all"),
        ),
    ),
    "D6.3": Answers(
        also_right=(
            """
            def test_a_failure_is_told(adf):
                run = adf.run("pl_main", answers={"run_notebooks": failed("no space left")})
                assert run.status == "Failed"
                assert [call.name for call in run.calls if call.name == "alert"] == ["alert"]
            """,
        ),
        nearly_right=(
            (
                """
                def test_a_failure_is_told(adf):
                    run = adf.run("pl_main", answers={"run_notebooks": failed("no space left")})
                    assert run.called("alert")
                """,
                "ends green",
            ),
            (
                """
                def test_a_failure_is_told(adf):
                    assert adf.run("pl_main", answers={"run_notebooks": failed("x")}).status == "Failed"
                """,
                "nobody is told",
            ),
        ),
    ),
}
