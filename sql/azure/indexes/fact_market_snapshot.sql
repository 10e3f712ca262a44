-- Every snapshot of every coin: the largest tables. BI tools add up whole columns of them, which a columnstore keeps
-- together and compressed; rows of the last hour stay out of it, for they may change with the next load.
-- Needs a vCore tier, or S3 and above.
DROP INDEX IF EXISTS ncci_fact_market_snapshot ON aggregated_data.fact_market_snapshot;
GO
CREATE NONCLUSTERED COLUMNSTORE INDEX ncci_fact_market_snapshot ON aggregated_data.fact_market_snapshot (
    coin_id,
    vs_currency,
    snapshot_at,
    period,
    coin_key,
    currency_key,
    date_key,
    price,
    market_cap,
    market_cap_rank,
    total_volume,
    high_24h,
    low_24h,
    return_1h,
    return_24h,
    return_7d,
    return_30d,
    circulating_supply,
    [file]
) WITH (COMPRESSION_DELAY = 60 MINUTES);
GO
-- When a version of a coin goes, the server looks for facts that still refer to it.
DROP INDEX IF EXISTS ix_fact_market_snapshot_coin_key ON aggregated_data.fact_market_snapshot;
GO
CREATE NONCLUSTERED INDEX ix_fact_market_snapshot_coin_key ON aggregated_data.fact_market_snapshot (coin_key);
