-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.market_now (vs_currency, coin_id, is_deleted, load_id)
SELECT target.vs_currency, target.coin_id, 1, @load_id
FROM aggregated_data.market_now AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.market_now AS source
    WHERE source.load_id = @load_id
        AND source.vs_currency = target.vs_currency
        AND source.coin_id = target.coin_id
);
GO
MERGE INTO aggregated_data.market_now AS target
USING (
    SELECT
        vs_currency,
        coin_id,
        snapshot_at,
        symbol,
        name,
        price,
        market_cap,
        market_cap_rank,
        rank_change_24h,
        return_1h,
        return_24h,
        return_7d,
        return_30d,
        volume_24h,
        volume_ratio,
        high,
        high_at,
        distance_from_high,
        kind
    FROM staging.market_now
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.vs_currency = target.vs_currency
        AND source.coin_id = target.coin_id
WHEN MATCHED AND (
    target.snapshot_at IS DISTINCT FROM source.snapshot_at
    OR target.symbol IS DISTINCT FROM source.symbol
    OR target.name IS DISTINCT FROM source.name
    OR target.price IS DISTINCT FROM source.price
    OR target.market_cap IS DISTINCT FROM source.market_cap
    OR target.market_cap_rank IS DISTINCT FROM source.market_cap_rank
    OR target.rank_change_24h IS DISTINCT FROM source.rank_change_24h
    OR target.return_1h IS DISTINCT FROM source.return_1h
    OR target.return_24h IS DISTINCT FROM source.return_24h
    OR target.return_7d IS DISTINCT FROM source.return_7d
    OR target.return_30d IS DISTINCT FROM source.return_30d
    OR target.volume_24h IS DISTINCT FROM source.volume_24h
    OR target.volume_ratio IS DISTINCT FROM source.volume_ratio
    OR target.high IS DISTINCT FROM source.high
    OR target.high_at IS DISTINCT FROM source.high_at
    OR target.distance_from_high IS DISTINCT FROM source.distance_from_high
    OR target.kind IS DISTINCT FROM source.kind
) THEN
    UPDATE SET
        snapshot_at = source.snapshot_at,
        symbol = source.symbol,
        name = source.name,
        price = source.price,
        market_cap = source.market_cap,
        market_cap_rank = source.market_cap_rank,
        rank_change_24h = source.rank_change_24h,
        return_1h = source.return_1h,
        return_24h = source.return_24h,
        return_7d = source.return_7d,
        return_30d = source.return_30d,
        volume_24h = source.volume_24h,
        volume_ratio = source.volume_ratio,
        high = source.high,
        high_at = source.high_at,
        distance_from_high = source.distance_from_high,
        kind = source.kind
WHEN NOT MATCHED THEN
    INSERT (
        vs_currency,
        coin_id,
        snapshot_at,
        symbol,
        name,
        price,
        market_cap,
        market_cap_rank,
        rank_change_24h,
        return_1h,
        return_24h,
        return_7d,
        return_30d,
        volume_24h,
        volume_ratio,
        high,
        high_at,
        distance_from_high,
        kind
    ) VALUES (
        source.vs_currency,
        source.coin_id,
        source.snapshot_at,
        source.symbol,
        source.name,
        source.price,
        source.market_cap,
        source.market_cap_rank,
        source.rank_change_24h,
        source.return_1h,
        source.return_24h,
        source.return_7d,
        source.return_30d,
        source.volume_24h,
        source.volume_ratio,
        source.high,
        source.high_at,
        source.distance_from_high,
        source.kind
    );
GO
DELETE FROM aggregated_data.market_now
WHERE EXISTS (
    SELECT 1
    FROM staging.market_now AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.vs_currency = market_now.vs_currency
        AND source.coin_id = market_now.coin_id
);
