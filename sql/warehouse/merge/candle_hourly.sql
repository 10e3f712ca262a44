-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.candle_hourly (coin_id, vs_currency, hour, is_deleted, load_id)
SELECT target.coin_id, target.vs_currency, target.hour, 1, @load_id
FROM aggregated_data.candle_hourly AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.candle_hourly AS source
    WHERE source.load_id = @load_id
        AND source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.hour = target.hour
);
GO
MERGE INTO aggregated_data.candle_hourly AS target
USING (
    SELECT
        coin_id,
        vs_currency,
        hour,
        period,
        [open],
        high,
        low,
        [close],
        samples
    FROM staging.candle_hourly
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.hour = target.hour
WHEN MATCHED AND (
    target.period IS DISTINCT FROM source.period
    OR target.[open] IS DISTINCT FROM source.[open]
    OR target.high IS DISTINCT FROM source.high
    OR target.low IS DISTINCT FROM source.low
    OR target.[close] IS DISTINCT FROM source.[close]
    OR target.samples IS DISTINCT FROM source.samples
) THEN
    UPDATE SET
        period = source.period,
        [open] = source.[open],
        high = source.high,
        low = source.low,
        [close] = source.[close],
        samples = source.samples
WHEN NOT MATCHED THEN
    INSERT (
        coin_id,
        vs_currency,
        hour,
        period,
        [open],
        high,
        low,
        [close],
        samples
    ) VALUES (
        source.coin_id,
        source.vs_currency,
        source.hour,
        source.period,
        source.[open],
        source.high,
        source.low,
        source.[close],
        source.samples
    );
GO
DELETE FROM aggregated_data.candle_hourly
WHERE EXISTS (
    SELECT 1
    FROM staging.candle_hourly AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.coin_id = candle_hourly.coin_id
        AND source.vs_currency = candle_hourly.vs_currency
        AND source.hour = candle_hourly.hour
);
