-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.market_trends_daily (coin_id, vs_currency, date, is_deleted, load_id)
SELECT target.coin_id, target.vs_currency, target.date, 1, @load_id
FROM aggregated_data.market_trends_daily AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.market_trends_daily AS source
    WHERE source.load_id = @load_id
        AND source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.date = target.date
);
GO
MERGE INTO aggregated_data.market_trends_daily AS target
USING (
    SELECT
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
    FROM staging.market_trends_daily
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.coin_id = target.coin_id
        AND source.vs_currency = target.vs_currency
        AND source.date = target.date
WHEN MATCHED AND (
    target.[close] IS DISTINCT FROM source.[close]
    OR target.market_cap IS DISTINCT FROM source.market_cap
    OR target.return_1d IS DISTINCT FROM source.return_1d
    OR target.return_7d IS DISTINCT FROM source.return_7d
    OR target.return_30d IS DISTINCT FROM source.return_30d
    OR target.return_90d IS DISTINCT FROM source.return_90d
    OR target.index_100 IS DISTINCT FROM source.index_100
    OR target.average_50d IS DISTINCT FROM source.average_50d
    OR target.above_average_50d IS DISTINCT FROM source.above_average_50d
    OR target.volatility_30d IS DISTINCT FROM source.volatility_30d
    OR target.drawdown IS DISTINCT FROM source.drawdown
    OR target.[cross] IS DISTINCT FROM source.[cross]
    OR target.trend IS DISTINCT FROM source.trend
) THEN
    UPDATE SET
        [close] = source.[close],
        market_cap = source.market_cap,
        return_1d = source.return_1d,
        return_7d = source.return_7d,
        return_30d = source.return_30d,
        return_90d = source.return_90d,
        index_100 = source.index_100,
        average_50d = source.average_50d,
        above_average_50d = source.above_average_50d,
        volatility_30d = source.volatility_30d,
        drawdown = source.drawdown,
        [cross] = source.[cross],
        trend = source.trend
WHEN NOT MATCHED THEN
    INSERT (
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
    ) VALUES (
        source.coin_id,
        source.vs_currency,
        source.date,
        source.[close],
        source.market_cap,
        source.return_1d,
        source.return_7d,
        source.return_30d,
        source.return_90d,
        source.index_100,
        source.average_50d,
        source.above_average_50d,
        source.volatility_30d,
        source.drawdown,
        source.[cross],
        source.trend
    );
GO
DELETE FROM aggregated_data.market_trends_daily
WHERE EXISTS (
    SELECT 1
    FROM staging.market_trends_daily AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.coin_id = market_trends_daily.coin_id
        AND source.vs_currency = market_trends_daily.vs_currency
        AND source.date = market_trends_daily.date
);
