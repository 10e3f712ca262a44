-- Every day's averages of every coin: one of the largest tables, of which readers add up whole columns. So the table itself is a
-- columnstore, compressed and kept once, and its key, by which loads find rows, a narrow index beside it.
-- Rows of the last hour stay out of compression, for they may change with the next load.
-- Source: Microsoft, "Columnstore indexes: design guidance". Needs a vCore tier, or S3 and above.
DROP INDEX IF EXISTS ncci_price_averages_daily ON aggregated_data.price_averages_daily;
GO
ALTER TABLE aggregated_data.price_averages_daily DROP CONSTRAINT IF EXISTS pk_price_averages_daily;
GO
DROP INDEX IF EXISTS cci_price_averages_daily ON aggregated_data.price_averages_daily;
GO
CREATE CLUSTERED COLUMNSTORE INDEX cci_price_averages_daily ON aggregated_data.price_averages_daily WITH (COMPRESSION_DELAY = 60 MINUTES);
GO
ALTER TABLE aggregated_data.price_averages_daily ADD CONSTRAINT pk_price_averages_daily PRIMARY KEY NONCLUSTERED (coin_id, vs_currency, date);
