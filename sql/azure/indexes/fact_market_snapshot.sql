-- Every snapshot of every coin: one of the largest tables, of which readers add up whole columns. So the table itself is a
-- columnstore, compressed and kept once, and its key, by which loads find rows, a narrow index beside it.
-- Rows of the last hour stay out of compression, for they may change with the next load.
-- Source: Microsoft, "Columnstore indexes: design guidance". Needs a vCore tier, or S3 and above.
DROP INDEX IF EXISTS ncci_fact_market_snapshot ON aggregated_data.fact_market_snapshot;
GO
ALTER TABLE aggregated_data.fact_market_snapshot DROP CONSTRAINT IF EXISTS pk_fact_market_snapshot;
GO
DROP INDEX IF EXISTS cci_fact_market_snapshot ON aggregated_data.fact_market_snapshot;
GO
CREATE CLUSTERED COLUMNSTORE INDEX cci_fact_market_snapshot ON aggregated_data.fact_market_snapshot WITH (COMPRESSION_DELAY = 60 MINUTES);
GO
ALTER TABLE aggregated_data.fact_market_snapshot ADD CONSTRAINT pk_fact_market_snapshot PRIMARY KEY NONCLUSTERED (coin_id, vs_currency, snapshot_at);
GO
-- When a version of a coin goes, the server looks for facts that still refer to it.
DROP INDEX IF EXISTS ix_fact_market_snapshot_coin_key ON aggregated_data.fact_market_snapshot;
GO
CREATE NONCLUSTERED INDEX ix_fact_market_snapshot_coin_key ON aggregated_data.fact_market_snapshot (coin_key);
