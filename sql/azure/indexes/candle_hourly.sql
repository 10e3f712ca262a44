-- Every hour of every coin: the largest tables. BI tools add up whole columns of them, which a columnstore keeps
-- together and compressed; rows of the last hour stay out of it, for they may change with the next load.
-- Needs a vCore tier, or S3 and above.
DROP INDEX IF EXISTS ncci_candle_hourly ON aggregated_data.candle_hourly;
GO
CREATE NONCLUSTERED COLUMNSTORE INDEX ncci_candle_hourly ON aggregated_data.candle_hourly (
    coin_id,
    vs_currency,
    hour,
    period,
    [open],
    high,
    low,
    [close],
    samples
) WITH (COMPRESSION_DELAY = 60 MINUTES);
