-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.price_averages_daily (coin_id, vs_currency, date, is_deleted, load_id)
SELECT target.coin_id, target.vs_currency, target.date, 1, @load_id
FROM aggregated_data.price_averages_daily AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.price_averages_daily AS source
    WHERE source.load_id = @load_id
        AND source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.date = target.date
);
GO
MERGE INTO aggregated_data.price_averages_daily AS target
USING (
    SELECT
        coin_id,
        vs_currency,
        date,
        [close],
        average_7d,
        days_7d,
        average_30d,
        days_30d,
        average_90d,
        days_90d,
        average_200d,
        days_200d,
        cross_30d_90d
    FROM staging.price_averages_daily
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.date = target.date
WHEN MATCHED AND (
    target.[close] IS DISTINCT FROM source.[close]
    OR target.average_7d IS DISTINCT FROM source.average_7d
    OR target.days_7d IS DISTINCT FROM source.days_7d
    OR target.average_30d IS DISTINCT FROM source.average_30d
    OR target.days_30d IS DISTINCT FROM source.days_30d
    OR target.average_90d IS DISTINCT FROM source.average_90d
    OR target.days_90d IS DISTINCT FROM source.days_90d
    OR target.average_200d IS DISTINCT FROM source.average_200d
    OR target.days_200d IS DISTINCT FROM source.days_200d
    OR target.cross_30d_90d IS DISTINCT FROM source.cross_30d_90d
) THEN
    UPDATE SET
        [close] = source.[close],
        average_7d = source.average_7d,
        days_7d = source.days_7d,
        average_30d = source.average_30d,
        days_30d = source.days_30d,
        average_90d = source.average_90d,
        days_90d = source.days_90d,
        average_200d = source.average_200d,
        days_200d = source.days_200d,
        cross_30d_90d = source.cross_30d_90d
WHEN NOT MATCHED THEN
    INSERT (
        coin_id,
        vs_currency,
        date,
        [close],
        average_7d,
        days_7d,
        average_30d,
        days_30d,
        average_90d,
        days_90d,
        average_200d,
        days_200d,
        cross_30d_90d
    ) VALUES (
        source.coin_id,
        source.vs_currency,
        source.date,
        source.[close],
        source.average_7d,
        source.days_7d,
        source.average_30d,
        source.days_30d,
        source.average_90d,
        source.days_90d,
        source.average_200d,
        source.days_200d,
        source.cross_30d_90d
    );
GO
DELETE FROM aggregated_data.price_averages_daily
WHERE EXISTS (
    SELECT 1
    FROM staging.price_averages_daily AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.coin_id = price_averages_daily.coin_id
        AND source.vs_currency = price_averages_daily.vs_currency
        AND source.date = price_averages_daily.date
);
