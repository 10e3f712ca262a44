-- Every day's trend of every coin: the largest tables. BI tools add up whole columns of them, which a columnstore keeps
-- together and compressed; rows of the last hour stay out of it, for they may change with the next load.
-- Needs a vCore tier, or S3 and above.
DROP INDEX IF EXISTS ncci_market_trends_daily ON aggregated_data.market_trends_daily;
GO
CREATE NONCLUSTERED COLUMNSTORE INDEX ncci_market_trends_daily ON aggregated_data.market_trends_daily (
    coin_id,
    vs_currency,
    date,
    [close],
    market_cap,
    return_1d,
    return_7d,
    return_30d,
    return_90d,
    index_100,
    average_50d,
    above_average_50d,
    volatility_30d,
    drawdown,
    [cross],
    trend
) WITH (COMPRESSION_DELAY = 60 MINUTES);
