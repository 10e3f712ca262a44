-- Each coin as its newest snapshot has it, under its newest name, beside what is usual for it.
-- Returns and the distance from the all-time high are fractions: 0.05 is +5 %.
CREATE OR ALTER VIEW reporting.coin_now
AS
SELECT
    market.coin_id,
    market.symbol,
    market.name,
    market.vs_currency,
    market.kind,
    market.snapshot_at,
    market.price,
    market.market_cap,
    market.market_cap_rank,
    market.rank_change_24h,
    market.volume_24h AS total_volume,
    market.volume_ratio,
    market.return_1h,
    market.return_24h,
    market.return_7d,
    market.return_30d,
    market.high,
    market.high_at,
    market.distance_from_high,
    snapshot.circulating_supply,
    coin.max_supply
FROM aggregated_data.market_now AS market
INNER JOIN aggregated_data.fact_market_snapshot AS snapshot
    ON snapshot.coin_id = market.coin_id
        AND snapshot.vs_currency = market.vs_currency
        AND snapshot.snapshot_at = market.snapshot_at
INNER JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = market.coin_id AND coin.is_current = 1;
