-- Every hour of every coin: one of the largest tables, of which readers add up whole columns. So the table itself is a
-- columnstore, compressed and kept once, and its key, by which loads find rows, a narrow index beside it.
-- Rows of the last hour stay out of compression, for they may change with the next load.
-- Source: Microsoft, "Columnstore indexes: design guidance". Needs a vCore tier, or S3 and above.
DROP INDEX IF EXISTS ncci_candle_hourly ON aggregated_data.candle_hourly;
GO
ALTER TABLE aggregated_data.candle_hourly DROP CONSTRAINT IF EXISTS pk_candle_hourly;
GO
DROP INDEX IF EXISTS cci_candle_hourly ON aggregated_data.candle_hourly;
GO
CREATE CLUSTERED COLUMNSTORE INDEX cci_candle_hourly ON aggregated_data.candle_hourly WITH (COMPRESSION_DELAY = 60 MINUTES);
GO
ALTER TABLE aggregated_data.candle_hourly ADD CONSTRAINT pk_candle_hourly PRIMARY KEY NONCLUSTERED (coin_id, vs_currency, hour);
