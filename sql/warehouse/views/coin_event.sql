-- What happened to coins, under their newest names: records, lost pegs, unusual volumes, turns of the trend, entries
-- and exits.
CREATE OR ALTER VIEW reporting.coin_event
AS
SELECT
    event.coin_id,
    coin.symbol,
    coin.name,
    event.vs_currency,
    event.kind,
    event.happened_at,
    CAST(event.happened_at AS DATE) AS date,
    event.value,
    event.reference
FROM aggregated_data.market_events AS event
INNER JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = event.coin_id AND coin.is_current = 1;
