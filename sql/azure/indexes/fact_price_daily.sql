-- Every day of every coin: one of the largest tables, of which readers add up whole columns. So the table itself is a
-- columnstore, compressed and kept once, and its key, by which loads find rows, a narrow index beside it.
-- Rows of the last hour stay out of compression, for they may change with the next load.
-- Source: Microsoft, "Columnstore indexes: design guidance". Needs a vCore tier, or S3 and above.
DROP INDEX IF EXISTS ncci_fact_price_daily ON aggregated_data.fact_price_daily;
GO
ALTER TABLE aggregated_data.fact_price_daily DROP CONSTRAINT IF EXISTS pk_fact_price_daily;
GO
DROP INDEX IF EXISTS cci_fact_price_daily ON aggregated_data.fact_price_daily;
GO
CREATE CLUSTERED COLUMNSTORE INDEX cci_fact_price_daily ON aggregated_data.fact_price_daily WITH (COMPRESSION_DELAY = 60 MINUTES);
GO
ALTER TABLE aggregated_data.fact_price_daily ADD CONSTRAINT pk_fact_price_daily PRIMARY KEY NONCLUSTERED (coin_id, vs_currency, date);
GO
-- When a version of a coin goes, the server looks for facts that still refer to it.
DROP INDEX IF EXISTS ix_fact_price_daily_coin_key ON aggregated_data.fact_price_daily;
GO
CREATE NONCLUSTERED INDEX ix_fact_price_daily_coin_key ON aggregated_data.fact_price_daily (coin_key);
