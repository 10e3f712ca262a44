-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.fact_price_daily (coin_id, vs_currency, date, is_deleted, load_id)
SELECT target.coin_id, target.vs_currency, target.date, 1, @load_id
FROM aggregated_data.fact_price_daily AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.fact_price_daily AS source
    WHERE source.load_id = @load_id
        AND source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.date = target.date
);
GO
MERGE INTO aggregated_data.fact_price_daily AS target
USING (
    SELECT
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
    FROM staging.fact_price_daily
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.date = target.date
WHEN MATCHED AND (
    target.period IS DISTINCT FROM source.period
    OR target.coin_key IS DISTINCT FROM source.coin_key
    OR target.currency_key IS DISTINCT FROM source.currency_key
    OR target.date_key IS DISTINCT FROM source.date_key
    OR target.[open] IS DISTINCT FROM source.[open]
    OR target.high IS DISTINCT FROM source.high
    OR target.low IS DISTINCT FROM source.low
    OR target.[close] IS DISTINCT FROM source.[close]
    OR target.average IS DISTINCT FROM source.average
    OR target.samples IS DISTINCT FROM source.samples
    OR target.market_cap IS DISTINCT FROM source.market_cap
    OR target.total_volume IS DISTINCT FROM source.total_volume
    OR target.is_complete IS DISTINCT FROM source.is_complete
    OR target.[file] IS DISTINCT FROM source.[file]
) THEN
    UPDATE SET
        period = source.period,
        coin_key = source.coin_key,
        currency_key = source.currency_key,
        date_key = source.date_key,
        [open] = source.[open],
        high = source.high,
        low = source.low,
        [close] = source.[close],
        average = source.average,
        samples = source.samples,
        market_cap = source.market_cap,
        total_volume = source.total_volume,
        is_complete = source.is_complete,
        [file] = source.[file]
WHEN NOT MATCHED THEN
    INSERT (
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
    ) VALUES (
        source.coin_id,
        source.vs_currency,
        source.date,
        source.period,
        source.coin_key,
        source.currency_key,
        source.date_key,
        source.[open],
        source.high,
        source.low,
        source.[close],
        source.average,
        source.samples,
        source.market_cap,
        source.total_volume,
        source.is_complete,
        source.[file]
    );
GO
DELETE FROM aggregated_data.fact_price_daily
WHERE EXISTS (
    SELECT 1
    FROM staging.fact_price_daily AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.coin_id = fact_price_daily.coin_id
        AND source.vs_currency = fact_price_daily.vs_currency
        AND source.date = fact_price_daily.date
);
