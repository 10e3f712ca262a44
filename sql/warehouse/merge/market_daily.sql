-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.market_daily (date, vs_currency, is_deleted, load_id)
SELECT target.date, target.vs_currency, 1, @load_id
FROM aggregated_data.market_daily AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.market_daily AS source
    WHERE source.load_id = @load_id
        AND source.date = target.date
        AND source.vs_currency = target.vs_currency
);
GO
MERGE INTO aggregated_data.market_daily AS target
USING (
    SELECT
        date,
        vs_currency,
        coins,
        advancers,
        decliners,
        coins_with_average_50d,
        share_above_average_50d,
        median_return_1d,
        median_index,
        median_drawdown,
        median_volatility_30d,
        tracked_market_cap,
        bitcoin_share,
        total_market_cap,
        bitcoin_dominance,
        fear_greed_value,
        fear_greed_classification,
        coins_with_return_1d,
        coins_with_volatility_30d,
        coins_with_market_cap
    FROM staging.market_daily
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON source.date = target.date
        AND source.vs_currency = target.vs_currency
WHEN MATCHED AND (
    target.coins IS DISTINCT FROM source.coins
    OR target.advancers IS DISTINCT FROM source.advancers
    OR target.decliners IS DISTINCT FROM source.decliners
    OR target.coins_with_average_50d IS DISTINCT FROM source.coins_with_average_50d
    OR target.share_above_average_50d IS DISTINCT FROM source.share_above_average_50d
    OR target.median_return_1d IS DISTINCT FROM source.median_return_1d
    OR target.median_index IS DISTINCT FROM source.median_index
    OR target.median_drawdown IS DISTINCT FROM source.median_drawdown
    OR target.median_volatility_30d IS DISTINCT FROM source.median_volatility_30d
    OR target.tracked_market_cap IS DISTINCT FROM source.tracked_market_cap
    OR target.bitcoin_share IS DISTINCT FROM source.bitcoin_share
    OR target.total_market_cap IS DISTINCT FROM source.total_market_cap
    OR target.bitcoin_dominance IS DISTINCT FROM source.bitcoin_dominance
    OR target.fear_greed_value IS DISTINCT FROM source.fear_greed_value
    OR target.fear_greed_classification IS DISTINCT FROM source.fear_greed_classification
    OR target.coins_with_return_1d IS DISTINCT FROM source.coins_with_return_1d
    OR target.coins_with_volatility_30d IS DISTINCT FROM source.coins_with_volatility_30d
    OR target.coins_with_market_cap IS DISTINCT FROM source.coins_with_market_cap
) THEN
    UPDATE SET
        coins = source.coins,
        advancers = source.advancers,
        decliners = source.decliners,
        coins_with_average_50d = source.coins_with_average_50d,
        share_above_average_50d = source.share_above_average_50d,
        median_return_1d = source.median_return_1d,
        median_index = source.median_index,
        median_drawdown = source.median_drawdown,
        median_volatility_30d = source.median_volatility_30d,
        tracked_market_cap = source.tracked_market_cap,
        bitcoin_share = source.bitcoin_share,
        total_market_cap = source.total_market_cap,
        bitcoin_dominance = source.bitcoin_dominance,
        fear_greed_value = source.fear_greed_value,
        fear_greed_classification = source.fear_greed_classification,
        coins_with_return_1d = source.coins_with_return_1d,
        coins_with_volatility_30d = source.coins_with_volatility_30d,
        coins_with_market_cap = source.coins_with_market_cap
WHEN NOT MATCHED THEN
    INSERT (
        date,
        vs_currency,
        coins,
        advancers,
        decliners,
        coins_with_average_50d,
        share_above_average_50d,
        median_return_1d,
        median_index,
        median_drawdown,
        median_volatility_30d,
        tracked_market_cap,
        bitcoin_share,
        total_market_cap,
        bitcoin_dominance,
        fear_greed_value,
        fear_greed_classification,
        coins_with_return_1d,
        coins_with_volatility_30d,
        coins_with_market_cap
    ) VALUES (
        source.date,
        source.vs_currency,
        source.coins,
        source.advancers,
        source.decliners,
        source.coins_with_average_50d,
        source.share_above_average_50d,
        source.median_return_1d,
        source.median_index,
        source.median_drawdown,
        source.median_volatility_30d,
        source.tracked_market_cap,
        source.bitcoin_share,
        source.total_market_cap,
        source.bitcoin_dominance,
        source.fear_greed_value,
        source.fear_greed_classification,
        source.coins_with_return_1d,
        source.coins_with_volatility_30d,
        source.coins_with_market_cap
    );
GO
DELETE FROM aggregated_data.market_daily
WHERE EXISTS (
    SELECT 1
    FROM staging.market_daily AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.date = market_daily.date
        AND source.vs_currency = market_daily.vs_currency
);
