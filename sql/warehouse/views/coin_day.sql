-- One row per coin, currency and complete UTC day: prices, averages, returns and trend, with the coin's name
-- of that day. A day opens with the close of the day before, where that is known.
-- Returns, volatility and drawdown are fractions: 0.05 is +5 %.
CREATE OR ALTER VIEW reporting.coin_day
AS
SELECT
    price.coin_id,
    coin.symbol,
    coin.name,
    price.vs_currency,
    price.date,
    calendar.iso_week,
    calendar.day_name,
    price.[open],
    price.high,
    price.low,
    price.[close],
    price.market_cap,
    price.total_volume,
    trend.return_1d,
    trend.return_7d,
    trend.return_30d,
    trend.return_90d,
    averages.average_7d,
    averages.average_30d,
    averages.average_90d,
    averages.average_200d,
    trend.volatility_30d,
    trend.drawdown,
    trend.[cross],
    trend.trend
FROM aggregated_data.fact_price_daily AS price
INNER JOIN aggregated_data.dim_coin AS coin ON coin.coin_key = price.coin_key
INNER JOIN aggregated_data.dim_date AS calendar ON calendar.date_key = price.date_key
LEFT JOIN aggregated_data.price_averages_daily AS averages
    ON averages.coin_id = price.coin_id
        AND averages.vs_currency = price.vs_currency
        AND averages.date = price.date
LEFT JOIN aggregated_data.market_trends_daily AS trend
    ON trend.coin_id = price.coin_id
        AND trend.vs_currency = price.vs_currency
        AND trend.date = price.date
WHERE price.is_complete = 1;
