-- One row per UTC day and currency: breadth and medians of free coins, with how many stand behind them, size and mood
-- of the market. Shares are fractions.
CREATE OR ALTER VIEW reporting.market_day
AS
SELECT
    market.date,
    market.vs_currency,
    market.coins,
    market.advancers,
    market.decliners,
    CAST(market.advancers AS FLOAT(53)) / NULLIF(market.coins, 0) AS share_advancing,
    market.coins_with_average_50d,
    market.share_above_average_50d,
    market.coins_with_return_1d,
    market.median_return_1d,
    market.median_index,
    market.median_drawdown,
    market.coins_with_volatility_30d,
    market.median_volatility_30d,
    market.coins_with_market_cap,
    market.tracked_market_cap,
    market.bitcoin_share,
    market.total_market_cap,
    market.bitcoin_dominance,
    market.fear_greed_value,
    market.fear_greed_classification
FROM aggregated_data.market_daily AS market;
