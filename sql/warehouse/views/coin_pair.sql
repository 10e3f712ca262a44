-- One row per pair of large coins and currency: how alike their daily returns of the last 90 days are, from -1
-- (opposite) to 1 (the same).
CREATE OR ALTER VIEW reporting.coin_pair
AS
SELECT
    pair.coin_a,
    first_coin.name AS name_a,
    pair.coin_b,
    second_coin.name AS name_b,
    pair.vs_currency,
    pair.date,
    pair.correlation,
    pair.days
FROM aggregated_data.correlation_90d AS pair
LEFT JOIN aggregated_data.dim_coin AS first_coin ON first_coin.coin_id = pair.coin_a AND first_coin.is_current = 1
LEFT JOIN aggregated_data.dim_coin AS second_coin ON second_coin.coin_id = pair.coin_b AND second_coin.is_current = 1;
