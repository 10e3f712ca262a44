-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.fact_market_snapshot (coin_id, vs_currency, snapshot_at, is_deleted, load_id)
SELECT target.coin_id, target.vs_currency, target.snapshot_at, 1, @load_id
FROM aggregated_data.fact_market_snapshot AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.fact_market_snapshot AS source
    WHERE source.load_id = @load_id
        AND source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.snapshot_at = target.snapshot_at
);
GO
MERGE INTO aggregated_data.fact_market_snapshot AS target
USING (
    SELECT
        coin_id,
        vs_currency,
        snapshot_at,
        period,
        coin_key,
        currency_key,
        date_key,
        price,
        market_cap,
        market_cap_rank,
        total_volume,
        high_24h,
        low_24h,
        return_1h,
        return_24h,
        return_7d,
        return_30d,
        circulating_supply,
        [file]
    FROM staging.fact_market_snapshot
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.snapshot_at = target.snapshot_at
WHEN MATCHED AND (
    target.period IS DISTINCT FROM source.period
    OR target.coin_key IS DISTINCT FROM source.coin_key
    OR target.currency_key IS DISTINCT FROM source.currency_key
    OR target.date_key IS DISTINCT FROM source.date_key
    OR target.price IS DISTINCT FROM source.price
    OR target.market_cap IS DISTINCT FROM source.market_cap
    OR target.market_cap_rank IS DISTINCT FROM source.market_cap_rank
    OR target.total_volume IS DISTINCT FROM source.total_volume
    OR target.high_24h IS DISTINCT FROM source.high_24h
    OR target.low_24h IS DISTINCT FROM source.low_24h
    OR target.return_1h IS DISTINCT FROM source.return_1h
    OR target.return_24h IS DISTINCT FROM source.return_24h
    OR target.return_7d IS DISTINCT FROM source.return_7d
    OR target.return_30d IS DISTINCT FROM source.return_30d
    OR target.circulating_supply IS DISTINCT FROM source.circulating_supply
    OR target.[file] IS DISTINCT FROM source.[file]
) THEN
    UPDATE SET
        period = source.period,
        coin_key = source.coin_key,
        currency_key = source.currency_key,
        date_key = source.date_key,
        price = source.price,
        market_cap = source.market_cap,
        market_cap_rank = source.market_cap_rank,
        total_volume = source.total_volume,
        high_24h = source.high_24h,
        low_24h = source.low_24h,
        return_1h = source.return_1h,
        return_24h = source.return_24h,
        return_7d = source.return_7d,
        return_30d = source.return_30d,
        circulating_supply = source.circulating_supply,
        [file] = source.[file]
WHEN NOT MATCHED THEN
    INSERT (
        coin_id,
        vs_currency,
        snapshot_at,
        period,
        coin_key,
        currency_key,
        date_key,
        price,
        market_cap,
        market_cap_rank,
        total_volume,
        high_24h,
        low_24h,
        return_1h,
        return_24h,
        return_7d,
        return_30d,
        circulating_supply,
        [file]
    ) VALUES (
        source.coin_id,
        source.vs_currency,
        source.snapshot_at,
        source.period,
        source.coin_key,
        source.currency_key,
        source.date_key,
        source.price,
        source.market_cap,
        source.market_cap_rank,
        source.total_volume,
        source.high_24h,
        source.low_24h,
        source.return_1h,
        source.return_24h,
        source.return_7d,
        source.return_30d,
        source.circulating_supply,
        source.[file]
    );
GO
DELETE FROM aggregated_data.fact_market_snapshot
WHERE EXISTS (
    SELECT 1
    FROM staging.fact_market_snapshot AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.coin_id = fact_market_snapshot.coin_id
        AND source.vs_currency = fact_market_snapshot.vs_currency
        AND source.snapshot_at = fact_market_snapshot.snapshot_at
);
