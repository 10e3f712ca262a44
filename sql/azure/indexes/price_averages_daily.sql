-- Every day's averages of every coin: the largest tables. BI tools add up whole columns of them, which a columnstore keeps
-- together and compressed; rows of the last hour stay out of it, for they may change with the next load.
-- Needs a vCore tier, or S3 and above.
DROP INDEX IF EXISTS ncci_price_averages_daily ON aggregated_data.price_averages_daily;
GO
CREATE NONCLUSTERED COLUMNSTORE INDEX ncci_price_averages_daily ON aggregated_data.price_averages_daily (
    coin_id,
    vs_currency,
    date,
    [close],
    average_7d,
    days_7d,
    average_30d,
    days_30d,
    average_90d,
    days_90d,
    average_200d,
    days_200d,
    cross_30d_90d
) WITH (COMPRESSION_DELAY = 60 MINUTES);
