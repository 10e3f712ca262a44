-- Each coin as its newest snapshot has it, under its newest name. Returns are fractions: 0.05 is +5 %.
CREATE OR ALTER VIEW reporting.coin_now
AS
SELECT
    snapshot.coin_id,
    coin.symbol,
    coin.name,
    snapshot.vs_currency,
    snapshot.snapshot_at,
    snapshot.price,
    snapshot.market_cap,
    snapshot.market_cap_rank,
    snapshot.total_volume,
    snapshot.return_1h,
    snapshot.return_24h,
    snapshot.return_7d,
    snapshot.return_30d,
    snapshot.circulating_supply,
    coin.max_supply
FROM aggregated_data.fact_market_snapshot AS snapshot
INNER JOIN (
    SELECT
        coin_id,
        vs_currency,
        MAX(snapshot_at) AS snapshot_at
    FROM aggregated_data.fact_market_snapshot
    GROUP BY coin_id, vs_currency
) AS newest
    ON newest.coin_id = snapshot.coin_id
        AND newest.vs_currency = snapshot.vs_currency
        AND newest.snapshot_at = snapshot.snapshot_at
INNER JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = snapshot.coin_id AND coin.is_current = 1;
