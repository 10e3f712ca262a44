-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.market_events (vs_currency, coin_id, kind, happened_at, is_deleted, load_id)
SELECT target.vs_currency, target.coin_id, target.kind, target.happened_at, 1, @load_id
FROM aggregated_data.market_events AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.market_events AS source
    WHERE source.load_id = @load_id
        AND source.vs_currency = target.vs_currency
        AND source.coin_id = target.coin_id
        AND source.kind = target.kind
        AND source.happened_at = target.happened_at
);
GO
MERGE INTO aggregated_data.market_events AS target
USING (
    SELECT
        vs_currency,
        coin_id,
        kind,
        happened_at,
        value,
        reference
    FROM staging.market_events
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.vs_currency = target.vs_currency
        AND source.coin_id = target.coin_id
        AND source.kind = target.kind
        AND source.happened_at = target.happened_at
WHEN MATCHED AND (
    target.value IS DISTINCT FROM source.value
    OR target.reference IS DISTINCT FROM source.reference
) THEN
    UPDATE SET
        value = source.value,
        reference = source.reference
WHEN NOT MATCHED THEN
    INSERT (
        vs_currency,
        coin_id,
        kind,
        happened_at,
        value,
        reference
    ) VALUES (
        source.vs_currency,
        source.coin_id,
        source.kind,
        source.happened_at,
        source.value,
        source.reference
    );
GO
DELETE FROM aggregated_data.market_events
WHERE EXISTS (
    SELECT 1
    FROM staging.market_events AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.vs_currency = market_events.vs_currency
        AND source.coin_id = market_events.coin_id
        AND source.kind = market_events.kind
        AND source.happened_at = market_events.happened_at
);
