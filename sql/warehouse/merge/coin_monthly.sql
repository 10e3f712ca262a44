-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.coin_monthly (coin_id, vs_currency, month, is_deleted, load_id)
SELECT target.coin_id, target.vs_currency, target.month, 1, @load_id
FROM aggregated_data.coin_monthly AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.coin_monthly AS source
    WHERE source.load_id = @load_id
        AND source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.month = target.month
);
GO
MERGE INTO aggregated_data.coin_monthly AS target
USING (
    SELECT
        coin_id,
        vs_currency,
        month,
        average,
        [close],
        high,
        low,
        return_1m,
        days,
        is_complete
    FROM staging.coin_monthly
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.month = target.month
WHEN MATCHED AND (
    target.average IS DISTINCT FROM source.average
    OR target.[close] IS DISTINCT FROM source.[close]
    OR target.high IS DISTINCT FROM source.high
    OR target.low IS DISTINCT FROM source.low
    OR target.return_1m IS DISTINCT FROM source.return_1m
    OR target.days IS DISTINCT FROM source.days
    OR target.is_complete IS DISTINCT FROM source.is_complete
) THEN
    UPDATE SET
        average = source.average,
        [close] = source.[close],
        high = source.high,
        low = source.low,
        return_1m = source.return_1m,
        days = source.days,
        is_complete = source.is_complete
WHEN NOT MATCHED THEN
    INSERT (
        coin_id,
        vs_currency,
        month,
        average,
        [close],
        high,
        low,
        return_1m,
        days,
        is_complete
    ) VALUES (
        source.coin_id,
        source.vs_currency,
        source.month,
        source.average,
        source.[close],
        source.high,
        source.low,
        source.return_1m,
        source.days,
        source.is_complete
    );
GO
DELETE FROM aggregated_data.coin_monthly
WHERE EXISTS (
    SELECT 1
    FROM staging.coin_monthly AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.coin_id = coin_monthly.coin_id
        AND source.vs_currency = coin_monthly.vs_currency
        AND source.month = coin_monthly.month
);
