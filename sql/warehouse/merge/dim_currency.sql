-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.dim_currency (currency_key, is_deleted, load_id)
SELECT target.currency_key, 1, @load_id
FROM aggregated_data.dim_currency AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.dim_currency AS source
    WHERE source.load_id = @load_id
        AND source.currency_key = target.currency_key
);
GO
MERGE INTO aggregated_data.dim_currency AS target
USING (
    SELECT
        currency_key,
        currency,
        name,
        kind
    FROM staging.dim_currency
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.currency_key = target.currency_key
WHEN MATCHED AND (
    target.currency IS DISTINCT FROM source.currency
    OR target.name IS DISTINCT FROM source.name
    OR target.kind IS DISTINCT FROM source.kind
) THEN
    UPDATE SET
        currency = source.currency,
        name = source.name,
        kind = source.kind
WHEN NOT MATCHED THEN
    INSERT (
        currency_key,
        currency,
        name,
        kind
    ) VALUES (
        source.currency_key,
        source.currency,
        source.name,
        source.kind
    );
GO
DELETE FROM aggregated_data.dim_currency
WHERE EXISTS (
    SELECT 1
    FROM staging.dim_currency AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.currency_key = dim_currency.currency_key
);
