-- One row per coin, currency and UTC hour: open, high, low and close, under the coin's newest name.
-- An hour opens with the price at its start, where that is known.
CREATE OR ALTER VIEW reporting.coin_hour
AS
SELECT
    candle.coin_id,
    coin.symbol,
    coin.name,
    candle.vs_currency,
    candle.hour,
    candle.[open],
    candle.high,
    candle.low,
    candle.[close],
    candle.samples
FROM aggregated_data.candle_hourly AS candle
LEFT JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = candle.coin_id AND coin.is_current = 1;
