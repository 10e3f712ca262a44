-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.candle_weekly (coin_id, vs_currency, week, is_deleted, load_id)
SELECT target.coin_id, target.vs_currency, target.week, 1, @load_id
FROM aggregated_data.candle_weekly AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.candle_weekly AS source
    WHERE source.load_id = @load_id
        AND source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.week = target.week
);
GO
MERGE INTO aggregated_data.candle_weekly AS target
USING (
    SELECT
        coin_id,
        vs_currency,
        week,
        [open],
        high,
        low,
        [close],
        samples,
        days,
        is_complete
    FROM staging.candle_weekly
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.week = target.week
WHEN MATCHED AND (
    target.[open] IS DISTINCT FROM source.[open]
    OR target.high IS DISTINCT FROM source.high
    OR target.low IS DISTINCT FROM source.low
    OR target.[close] IS DISTINCT FROM source.[close]
    OR target.samples IS DISTINCT FROM source.samples
    OR target.days IS DISTINCT FROM source.days
    OR target.is_complete IS DISTINCT FROM source.is_complete
) THEN
    UPDATE SET
        [open] = source.[open],
        high = source.high,
        low = source.low,
        [close] = source.[close],
        samples = source.samples,
        days = source.days,
        is_complete = source.is_complete
WHEN NOT MATCHED THEN
    INSERT (
        coin_id,
        vs_currency,
        week,
        [open],
        high,
        low,
        [close],
        samples,
        days,
        is_complete
    ) VALUES (
        source.coin_id,
        source.vs_currency,
        source.week,
        source.[open],
        source.high,
        source.low,
        source.[close],
        source.samples,
        source.days,
        source.is_complete
    );
GO
DELETE FROM aggregated_data.candle_weekly
WHERE EXISTS (
    SELECT 1
    FROM staging.candle_weekly AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.coin_id = candle_weekly.coin_id
        AND source.vs_currency = candle_weekly.vs_currency
        AND source.week = candle_weekly.week
);
