-- One row per coin, currency and calendar month, under the coin's newest name. Returns are fractions.
CREATE OR ALTER VIEW reporting.coin_month
AS
SELECT
    month_of_coin.coin_id,
    coin.symbol,
    coin.name,
    month_of_coin.vs_currency,
    currency.name AS currency_name,
    month_of_coin.month,
    month_of_coin.average,
    month_of_coin.[close],
    month_of_coin.high,
    month_of_coin.low,
    month_of_coin.return_1m,
    month_of_coin.days,
    month_of_coin.is_complete
FROM aggregated_data.coin_monthly AS month_of_coin
LEFT JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = month_of_coin.coin_id AND coin.is_current = 1
LEFT JOIN aggregated_data.dim_currency AS currency ON currency.currency = month_of_coin.vs_currency;
