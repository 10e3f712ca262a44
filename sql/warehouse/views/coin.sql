-- One row per coin, under its newest name and symbol.
CREATE OR ALTER VIEW reporting.coin
AS
SELECT
    coin.coin_id,
    coin.symbol,
    coin.name,
    CONCAT(coin.name, N' (', COALESCE(coin.symbol, coin.coin_id), N')') AS label,
    coin.max_supply,
    coin.kind,
    coin.original_id,
    coin.first_seen_at
FROM aggregated_data.dim_coin AS coin
WHERE coin.is_current = 1;
