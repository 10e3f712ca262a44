-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.correlation_90d (coin_a, coin_b, vs_currency, is_deleted, load_id)
SELECT target.coin_a, target.coin_b, target.vs_currency, 1, @load_id
FROM aggregated_data.correlation_90d AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.correlation_90d AS source
    WHERE source.load_id = @load_id
        AND source.coin_a = target.coin_a
        AND source.coin_b = target.coin_b
        AND source.vs_currency = target.vs_currency
);
GO
MERGE INTO aggregated_data.correlation_90d AS target
USING (
    SELECT
        coin_a,
        coin_b,
        vs_currency,
        date,
        correlation,
        days
    FROM staging.correlation_90d
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.coin_a = target.coin_a
        AND source.coin_b = target.coin_b
        AND source.vs_currency = target.vs_currency
WHEN MATCHED AND (
    target.date IS DISTINCT FROM source.date
    OR target.correlation IS DISTINCT FROM source.correlation
    OR target.days IS DISTINCT FROM source.days
) THEN
    UPDATE SET
        date = source.date,
        correlation = source.correlation,
        days = source.days
WHEN NOT MATCHED THEN
    INSERT (
        coin_a,
        coin_b,
        vs_currency,
        date,
        correlation,
        days
    ) VALUES (
        source.coin_a,
        source.coin_b,
        source.vs_currency,
        source.date,
        source.correlation,
        source.days
    );
GO
DELETE FROM aggregated_data.correlation_90d
WHERE EXISTS (
    SELECT 1
    FROM staging.correlation_90d AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.coin_a = correlation_90d.coin_a
        AND source.coin_b = correlation_90d.coin_b
        AND source.vs_currency = correlation_90d.vs_currency
);
