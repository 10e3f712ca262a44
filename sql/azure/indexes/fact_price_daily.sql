-- Every day of every coin: the largest tables. BI tools add up whole columns of them, which a columnstore keeps
-- together and compressed; rows of the last hour stay out of it, for they may change with the next load.
-- Needs a vCore tier, or S3 and above.
DROP INDEX IF EXISTS ncci_fact_price_daily ON aggregated_data.fact_price_daily;
GO
CREATE NONCLUSTERED COLUMNSTORE INDEX ncci_fact_price_daily ON aggregated_data.fact_price_daily (
    coin_id,
    vs_currency,
    date,
    period,
    coin_key,
    currency_key,
    date_key,
    [open],
    high,
    low,
    [close],
    average,
    samples,
    market_cap,
    total_volume,
    is_complete,
    [file]
) WITH (COMPRESSION_DELAY = 60 MINUTES);
GO
-- When a version of a coin goes, the server looks for facts that still refer to it.
DROP INDEX IF EXISTS ix_fact_price_daily_coin_key ON aggregated_data.fact_price_daily;
GO
CREATE NONCLUSTERED INDEX ix_fact_price_daily_coin_key ON aggregated_data.fact_price_daily (coin_key);
