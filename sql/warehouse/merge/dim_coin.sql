-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.dim_coin (coin_key, is_deleted, load_id)
SELECT target.coin_key, 1, @load_id
FROM aggregated_data.dim_coin AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.dim_coin AS source
    WHERE source.load_id = @load_id
        AND source.coin_key = target.coin_key
);
GO
MERGE INTO aggregated_data.dim_coin AS target
USING (
    SELECT
        coin_key,
        coin_id,
        symbol,
        name,
        max_supply,
        valid_from,
        valid_to,
        is_current,
        first_seen_at,
        kind,
        original_id
    FROM staging.dim_coin
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.coin_key = target.coin_key
WHEN MATCHED AND (
    target.coin_id IS DISTINCT FROM source.coin_id
    OR target.symbol IS DISTINCT FROM source.symbol
    OR target.name IS DISTINCT FROM source.name
    OR target.max_supply IS DISTINCT FROM source.max_supply
    OR target.valid_from IS DISTINCT FROM source.valid_from
    OR target.valid_to IS DISTINCT FROM source.valid_to
    OR target.is_current IS DISTINCT FROM source.is_current
    OR target.first_seen_at IS DISTINCT FROM source.first_seen_at
    OR target.kind IS DISTINCT FROM source.kind
    OR target.original_id IS DISTINCT FROM source.original_id
) THEN
    UPDATE SET
        coin_id = source.coin_id,
        symbol = source.symbol,
        name = source.name,
        max_supply = source.max_supply,
        valid_from = source.valid_from,
        valid_to = source.valid_to,
        is_current = source.is_current,
        first_seen_at = source.first_seen_at,
        kind = source.kind,
        original_id = source.original_id
WHEN NOT MATCHED THEN
    INSERT (
        coin_key,
        coin_id,
        symbol,
        name,
        max_supply,
        valid_from,
        valid_to,
        is_current,
        first_seen_at,
        kind,
        original_id
    ) VALUES (
        source.coin_key,
        source.coin_id,
        source.symbol,
        source.name,
        source.max_supply,
        source.valid_from,
        source.valid_to,
        source.is_current,
        source.first_seen_at,
        source.kind,
        source.original_id
    );
GO
DELETE FROM aggregated_data.dim_coin
WHERE EXISTS (
    SELECT 1
    FROM staging.dim_coin AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.coin_key = dim_coin.coin_key
);
