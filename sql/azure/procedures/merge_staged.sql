-- Generated from sql/warehouse/merge by coinlake sql generate: edit those files instead.

-- Merges what Data Factory copied into staging (its rows have load_id 0), all tables or none, and notes it in
-- control.load_log. @tables is the pipeline's list as JSON; each of its tables was copied as a whole.
-- Called again after an answer that got lost, it finds nothing to merge and changes nothing.
CREATE OR ALTER PROCEDURE control.merge_staged
    @run_id NVARCHAR(100),
    @tables NVARCHAR(MAX)
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT ON;
    DECLARE @granted INT;
    DECLARE @load_id INT;
    DECLARE @rows INT;
    DECLARE @wanted TABLE (name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL PRIMARY KEY);
    DECLARE @done TABLE (
        name NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL PRIMARY KEY,
        staged INT NOT NULL,
        merged INT NOT NULL,
        deleted INT NOT NULL
    );

    BEGIN TRANSACTION;
    EXEC @granted = sp_getapplock
        @Resource = N'coinlake.load',
        @LockMode = 'Exclusive',
        @LockOwner = 'Transaction',
        @LockTimeout = 0;
    IF @granted < 0
        THROW 51000, N'Another load is under way. Wait until it has ended and load again.', 1;

    INSERT INTO @wanted (name)
    SELECT DISTINCT JSON_VALUE(entry.value, '$.sink.table')
    FROM OPENJSON(@tables) AS entry;

    SELECT @load_id = 1 + MAX(known.load_id)
    FROM (
        SELECT 0 AS load_id
        UNION ALL
        SELECT load_id FROM control.load_started
        UNION ALL
        SELECT load_id FROM control.load_log
    ) AS known;
    INSERT INTO control.load_started (load_id, run_id) VALUES (@load_id, @run_id);

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'dim_coin')
    BEGIN
        UPDATE staging.dim_coin SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'dim_coin', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'dim_date')
    BEGIN
        UPDATE staging.dim_date SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'dim_date', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'dim_currency')
    BEGIN
        UPDATE staging.dim_currency SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'dim_currency', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'fact_market_snapshot')
    BEGIN
        UPDATE staging.fact_market_snapshot SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'fact_market_snapshot', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'fact_price_daily')
    BEGIN
        UPDATE staging.fact_price_daily SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'fact_price_daily', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'price_averages_daily')
    BEGIN
        UPDATE staging.price_averages_daily SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'price_averages_daily', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'market_trends_daily')
    BEGIN
        UPDATE staging.market_trends_daily SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'market_trends_daily', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'market_daily')
    BEGIN
        UPDATE staging.market_daily SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'market_daily', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'coin_monthly')
    BEGIN
        UPDATE staging.coin_monthly SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'coin_monthly', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'correlation_90d')
    BEGIN
        UPDATE staging.correlation_90d SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'correlation_90d', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'candle_hourly')
    BEGIN
        UPDATE staging.candle_hourly SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'candle_hourly', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'candle_weekly')
    BEGIN
        UPDATE staging.candle_weekly SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'candle_weekly', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'run_steps')
    BEGIN
        UPDATE staging.run_steps SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'run_steps', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'pipeline_runs')
    BEGIN
        UPDATE staging.pipeline_runs SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'pipeline_runs', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'api_usage')
    BEGIN
        UPDATE staging.api_usage SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'api_usage', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'freshness')
    BEGIN
        UPDATE staging.freshness SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'freshness', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'quarantine_daily')
    BEGIN
        UPDATE staging.quarantine_daily SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'quarantine_daily', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'market_now')
    BEGIN
        UPDATE staging.market_now SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'market_now', @@ROWCOUNT, 0, 0);
    END;

    IF EXISTS (SELECT 1 FROM @wanted WHERE name = N'market_events')
    BEGIN
        UPDATE staging.market_events SET load_id = @load_id WHERE load_id = 0;
        INSERT INTO @done (name, staged, merged, deleted) VALUES (N'market_events', @@ROWCOUNT, 0, 0);
    END;

    IF NOT EXISTS (SELECT 1 FROM @done WHERE staged > 0)
    BEGIN
        ROLLBACK TRANSACTION;
        RETURN;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'dim_coin')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'dim_coin' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.dim_coin)
            THROW 51001, N'staging.dim_coin is empty, and aggregated_data.dim_coin is not: copy the table first.', 1;
        INSERT INTO staging.dim_coin (coin_key, is_deleted, load_id)
        SELECT target.coin_key, 1, @load_id
        FROM aggregated_data.dim_coin AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.dim_coin AS source
            WHERE source.load_id = @load_id
                AND source.coin_key = target.coin_key
        );
        MERGE INTO aggregated_data.dim_coin AS target
        USING (
            SELECT
                coin_key,
                coin_id,
                symbol,
                name,
                max_supply,
                valid_from,
                valid_to,
                is_current,
                first_seen_at,
                kind,
                original_id
            FROM staging.dim_coin
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.coin_key = target.coin_key
        WHEN MATCHED AND (
            target.coin_id IS DISTINCT FROM source.coin_id
            OR target.symbol IS DISTINCT FROM source.symbol
            OR target.name IS DISTINCT FROM source.name
            OR target.max_supply IS DISTINCT FROM source.max_supply
            OR target.valid_from IS DISTINCT FROM source.valid_from
            OR target.valid_to IS DISTINCT FROM source.valid_to
            OR target.is_current IS DISTINCT FROM source.is_current
            OR target.first_seen_at IS DISTINCT FROM source.first_seen_at
            OR target.kind IS DISTINCT FROM source.kind
            OR target.original_id IS DISTINCT FROM source.original_id
        ) THEN
            UPDATE SET
                coin_id = source.coin_id,
                symbol = source.symbol,
                name = source.name,
                max_supply = source.max_supply,
                valid_from = source.valid_from,
                valid_to = source.valid_to,
                is_current = source.is_current,
                first_seen_at = source.first_seen_at,
                kind = source.kind,
                original_id = source.original_id
        WHEN NOT MATCHED THEN
            INSERT (
                coin_key,
                coin_id,
                symbol,
                name,
                max_supply,
                valid_from,
                valid_to,
                is_current,
                first_seen_at,
                kind,
                original_id
            ) VALUES (
                source.coin_key,
                source.coin_id,
                source.symbol,
                source.name,
                source.max_supply,
                source.valid_from,
                source.valid_to,
                source.is_current,
                source.first_seen_at,
                source.kind,
                source.original_id
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'dim_coin';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'dim_date')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'dim_date' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.dim_date)
            THROW 51001, N'staging.dim_date is empty, and aggregated_data.dim_date is not: copy the table first.', 1;
        INSERT INTO staging.dim_date (date_key, is_deleted, load_id)
        SELECT target.date_key, 1, @load_id
        FROM aggregated_data.dim_date AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.dim_date AS source
            WHERE source.load_id = @load_id
                AND source.date_key = target.date_key
        );
        MERGE INTO aggregated_data.dim_date AS target
        USING (
            SELECT
                date_key,
                date,
                year,
                quarter,
                month,
                month_name,
                iso_week,
                day_of_week,
                day_name,
                is_weekend
            FROM staging.dim_date
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.date_key = target.date_key
        WHEN MATCHED AND (
            target.date IS DISTINCT FROM source.date
            OR target.year IS DISTINCT FROM source.year
            OR target.quarter IS DISTINCT FROM source.quarter
            OR target.month IS DISTINCT FROM source.month
            OR target.month_name IS DISTINCT FROM source.month_name
            OR target.iso_week IS DISTINCT FROM source.iso_week
            OR target.day_of_week IS DISTINCT FROM source.day_of_week
            OR target.day_name IS DISTINCT FROM source.day_name
            OR target.is_weekend IS DISTINCT FROM source.is_weekend
        ) THEN
            UPDATE SET
                date = source.date,
                year = source.year,
                quarter = source.quarter,
                month = source.month,
                month_name = source.month_name,
                iso_week = source.iso_week,
                day_of_week = source.day_of_week,
                day_name = source.day_name,
                is_weekend = source.is_weekend
        WHEN NOT MATCHED THEN
            INSERT (
                date_key,
                date,
                year,
                quarter,
                month,
                month_name,
                iso_week,
                day_of_week,
                day_name,
                is_weekend
            ) VALUES (
                source.date_key,
                source.date,
                source.year,
                source.quarter,
                source.month,
                source.month_name,
                source.iso_week,
                source.day_of_week,
                source.day_name,
                source.is_weekend
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'dim_date';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'dim_currency')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'dim_currency' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.dim_currency)
            THROW 51001, N'staging.dim_currency is empty, and aggregated_data.dim_currency is not: copy the table first.', 1;
        INSERT INTO staging.dim_currency (currency_key, is_deleted, load_id)
        SELECT target.currency_key, 1, @load_id
        FROM aggregated_data.dim_currency AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.dim_currency AS source
            WHERE source.load_id = @load_id
                AND source.currency_key = target.currency_key
        );
        MERGE INTO aggregated_data.dim_currency AS target
        USING (
            SELECT
                currency_key,
                currency,
                name,
                kind
            FROM staging.dim_currency
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.currency_key = target.currency_key
        WHEN MATCHED AND (
            target.currency IS DISTINCT FROM source.currency
            OR target.name IS DISTINCT FROM source.name
            OR target.kind IS DISTINCT FROM source.kind
        ) THEN
            UPDATE SET
                currency = source.currency,
                name = source.name,
                kind = source.kind
        WHEN NOT MATCHED THEN
            INSERT (
                currency_key,
                currency,
                name,
                kind
            ) VALUES (
                source.currency_key,
                source.currency,
                source.name,
                source.kind
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'dim_currency';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'fact_market_snapshot')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'fact_market_snapshot' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.fact_market_snapshot)
            THROW 51001, N'staging.fact_market_snapshot is empty, and aggregated_data.fact_market_snapshot is not: copy the table first.', 1;
        INSERT INTO staging.fact_market_snapshot (coin_id, vs_currency, snapshot_at, is_deleted, load_id)
        SELECT target.coin_id, target.vs_currency, target.snapshot_at, 1, @load_id
        FROM aggregated_data.fact_market_snapshot AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.fact_market_snapshot AS source
            WHERE source.load_id = @load_id
                AND source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.snapshot_at = target.snapshot_at
        );
        MERGE INTO aggregated_data.fact_market_snapshot AS target
        USING (
            SELECT
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
            FROM staging.fact_market_snapshot
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.snapshot_at = target.snapshot_at
        WHEN MATCHED AND (
            target.period IS DISTINCT FROM source.period
            OR target.coin_key IS DISTINCT FROM source.coin_key
            OR target.currency_key IS DISTINCT FROM source.currency_key
            OR target.date_key IS DISTINCT FROM source.date_key
            OR target.price IS DISTINCT FROM source.price
            OR target.market_cap IS DISTINCT FROM source.market_cap
            OR target.market_cap_rank IS DISTINCT FROM source.market_cap_rank
            OR target.total_volume IS DISTINCT FROM source.total_volume
            OR target.high_24h IS DISTINCT FROM source.high_24h
            OR target.low_24h IS DISTINCT FROM source.low_24h
            OR target.return_1h IS DISTINCT FROM source.return_1h
            OR target.return_24h IS DISTINCT FROM source.return_24h
            OR target.return_7d IS DISTINCT FROM source.return_7d
            OR target.return_30d IS DISTINCT FROM source.return_30d
            OR target.circulating_supply IS DISTINCT FROM source.circulating_supply
            OR target.[file] IS DISTINCT FROM source.[file]
        ) THEN
            UPDATE SET
                period = source.period,
                coin_key = source.coin_key,
                currency_key = source.currency_key,
                date_key = source.date_key,
                price = source.price,
                market_cap = source.market_cap,
                market_cap_rank = source.market_cap_rank,
                total_volume = source.total_volume,
                high_24h = source.high_24h,
                low_24h = source.low_24h,
                return_1h = source.return_1h,
                return_24h = source.return_24h,
                return_7d = source.return_7d,
                return_30d = source.return_30d,
                circulating_supply = source.circulating_supply,
                [file] = source.[file]
        WHEN NOT MATCHED THEN
            INSERT (
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
            ) VALUES (
                source.coin_id,
                source.vs_currency,
                source.snapshot_at,
                source.period,
                source.coin_key,
                source.currency_key,
                source.date_key,
                source.price,
                source.market_cap,
                source.market_cap_rank,
                source.total_volume,
                source.high_24h,
                source.low_24h,
                source.return_1h,
                source.return_24h,
                source.return_7d,
                source.return_30d,
                source.circulating_supply,
                source.[file]
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'fact_market_snapshot';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'fact_price_daily')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'fact_price_daily' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.fact_price_daily)
            THROW 51001, N'staging.fact_price_daily is empty, and aggregated_data.fact_price_daily is not: copy the table first.', 1;
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
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'fact_price_daily';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'price_averages_daily')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'price_averages_daily' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.price_averages_daily)
            THROW 51001, N'staging.price_averages_daily is empty, and aggregated_data.price_averages_daily is not: copy the table first.', 1;
        INSERT INTO staging.price_averages_daily (coin_id, vs_currency, date, is_deleted, load_id)
        SELECT target.coin_id, target.vs_currency, target.date, 1, @load_id
        FROM aggregated_data.price_averages_daily AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.price_averages_daily AS source
            WHERE source.load_id = @load_id
                AND source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.date = target.date
        );
        MERGE INTO aggregated_data.price_averages_daily AS target
        USING (
            SELECT
                coin_id,
                vs_currency,
                date,
                [close],
                average_7d,
                days_7d,
                average_30d,
                days_30d,
                average_90d,
                days_90d,
                average_200d,
                days_200d,
                cross_30d_90d
            FROM staging.price_averages_daily
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.date = target.date
        WHEN MATCHED AND (
            target.[close] IS DISTINCT FROM source.[close]
            OR target.average_7d IS DISTINCT FROM source.average_7d
            OR target.days_7d IS DISTINCT FROM source.days_7d
            OR target.average_30d IS DISTINCT FROM source.average_30d
            OR target.days_30d IS DISTINCT FROM source.days_30d
            OR target.average_90d IS DISTINCT FROM source.average_90d
            OR target.days_90d IS DISTINCT FROM source.days_90d
            OR target.average_200d IS DISTINCT FROM source.average_200d
            OR target.days_200d IS DISTINCT FROM source.days_200d
            OR target.cross_30d_90d IS DISTINCT FROM source.cross_30d_90d
        ) THEN
            UPDATE SET
                [close] = source.[close],
                average_7d = source.average_7d,
                days_7d = source.days_7d,
                average_30d = source.average_30d,
                days_30d = source.days_30d,
                average_90d = source.average_90d,
                days_90d = source.days_90d,
                average_200d = source.average_200d,
                days_200d = source.days_200d,
                cross_30d_90d = source.cross_30d_90d
        WHEN NOT MATCHED THEN
            INSERT (
                coin_id,
                vs_currency,
                date,
                [close],
                average_7d,
                days_7d,
                average_30d,
                days_30d,
                average_90d,
                days_90d,
                average_200d,
                days_200d,
                cross_30d_90d
            ) VALUES (
                source.coin_id,
                source.vs_currency,
                source.date,
                source.[close],
                source.average_7d,
                source.days_7d,
                source.average_30d,
                source.days_30d,
                source.average_90d,
                source.days_90d,
                source.average_200d,
                source.days_200d,
                source.cross_30d_90d
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'price_averages_daily';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_trends_daily')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_trends_daily' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.market_trends_daily)
            THROW 51001, N'staging.market_trends_daily is empty, and aggregated_data.market_trends_daily is not: copy the table first.', 1;
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
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'market_trends_daily';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_daily')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_daily' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.market_daily)
            THROW 51001, N'staging.market_daily is empty, and aggregated_data.market_daily is not: copy the table first.', 1;
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
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'market_daily';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'coin_monthly')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'coin_monthly' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.coin_monthly)
            THROW 51001, N'staging.coin_monthly is empty, and aggregated_data.coin_monthly is not: copy the table first.', 1;
        INSERT INTO staging.coin_monthly (coin_id, vs_currency, month, is_deleted, load_id)
        SELECT target.coin_id, target.vs_currency, target.month, 1, @load_id
        FROM aggregated_data.coin_monthly AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.coin_monthly AS source
            WHERE source.load_id = @load_id
                AND source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.month = target.month
        );
        MERGE INTO aggregated_data.coin_monthly AS target
        USING (
            SELECT
                coin_id,
                vs_currency,
                month,
                average,
                [close],
                high,
                low,
                return_1m,
                days,
                is_complete
            FROM staging.coin_monthly
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.month = target.month
        WHEN MATCHED AND (
            target.average IS DISTINCT FROM source.average
            OR target.[close] IS DISTINCT FROM source.[close]
            OR target.high IS DISTINCT FROM source.high
            OR target.low IS DISTINCT FROM source.low
            OR target.return_1m IS DISTINCT FROM source.return_1m
            OR target.days IS DISTINCT FROM source.days
            OR target.is_complete IS DISTINCT FROM source.is_complete
        ) THEN
            UPDATE SET
                average = source.average,
                [close] = source.[close],
                high = source.high,
                low = source.low,
                return_1m = source.return_1m,
                days = source.days,
                is_complete = source.is_complete
        WHEN NOT MATCHED THEN
            INSERT (
                coin_id,
                vs_currency,
                month,
                average,
                [close],
                high,
                low,
                return_1m,
                days,
                is_complete
            ) VALUES (
                source.coin_id,
                source.vs_currency,
                source.month,
                source.average,
                source.[close],
                source.high,
                source.low,
                source.return_1m,
                source.days,
                source.is_complete
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'coin_monthly';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'correlation_90d')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'correlation_90d' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.correlation_90d)
            THROW 51001, N'staging.correlation_90d is empty, and aggregated_data.correlation_90d is not: copy the table first.', 1;
        INSERT INTO staging.correlation_90d (coin_a, coin_b, vs_currency, is_deleted, load_id)
        SELECT target.coin_a, target.coin_b, target.vs_currency, 1, @load_id
        FROM aggregated_data.correlation_90d AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.correlation_90d AS source
            WHERE source.load_id = @load_id
                AND source.coin_a = target.coin_a
                AND source.coin_b = target.coin_b
                AND source.vs_currency = target.vs_currency
        );
        MERGE INTO aggregated_data.correlation_90d AS target
        USING (
            SELECT
                coin_a,
                coin_b,
                vs_currency,
                date,
                correlation,
                days
            FROM staging.correlation_90d
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.coin_a = target.coin_a
                AND source.coin_b = target.coin_b
                AND source.vs_currency = target.vs_currency
        WHEN MATCHED AND (
            target.date IS DISTINCT FROM source.date
            OR target.correlation IS DISTINCT FROM source.correlation
            OR target.days IS DISTINCT FROM source.days
        ) THEN
            UPDATE SET
                date = source.date,
                correlation = source.correlation,
                days = source.days
        WHEN NOT MATCHED THEN
            INSERT (
                coin_a,
                coin_b,
                vs_currency,
                date,
                correlation,
                days
            ) VALUES (
                source.coin_a,
                source.coin_b,
                source.vs_currency,
                source.date,
                source.correlation,
                source.days
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'correlation_90d';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'candle_hourly')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'candle_hourly' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.candle_hourly)
            THROW 51001, N'staging.candle_hourly is empty, and aggregated_data.candle_hourly is not: copy the table first.', 1;
        INSERT INTO staging.candle_hourly (coin_id, vs_currency, hour, is_deleted, load_id)
        SELECT target.coin_id, target.vs_currency, target.hour, 1, @load_id
        FROM aggregated_data.candle_hourly AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.candle_hourly AS source
            WHERE source.load_id = @load_id
                AND source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.hour = target.hour
        );
        MERGE INTO aggregated_data.candle_hourly AS target
        USING (
            SELECT
                coin_id,
                vs_currency,
                hour,
                period,
                [open],
                high,
                low,
                [close],
                samples
            FROM staging.candle_hourly
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.hour = target.hour
        WHEN MATCHED AND (
            target.period IS DISTINCT FROM source.period
            OR target.[open] IS DISTINCT FROM source.[open]
            OR target.high IS DISTINCT FROM source.high
            OR target.low IS DISTINCT FROM source.low
            OR target.[close] IS DISTINCT FROM source.[close]
            OR target.samples IS DISTINCT FROM source.samples
        ) THEN
            UPDATE SET
                period = source.period,
                [open] = source.[open],
                high = source.high,
                low = source.low,
                [close] = source.[close],
                samples = source.samples
        WHEN NOT MATCHED THEN
            INSERT (
                coin_id,
                vs_currency,
                hour,
                period,
                [open],
                high,
                low,
                [close],
                samples
            ) VALUES (
                source.coin_id,
                source.vs_currency,
                source.hour,
                source.period,
                source.[open],
                source.high,
                source.low,
                source.[close],
                source.samples
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'candle_hourly';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'candle_weekly')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'candle_weekly' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.candle_weekly)
            THROW 51001, N'staging.candle_weekly is empty, and aggregated_data.candle_weekly is not: copy the table first.', 1;
        INSERT INTO staging.candle_weekly (coin_id, vs_currency, week, is_deleted, load_id)
        SELECT target.coin_id, target.vs_currency, target.week, 1, @load_id
        FROM aggregated_data.candle_weekly AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.candle_weekly AS source
            WHERE source.load_id = @load_id
                AND source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.week = target.week
        );
        MERGE INTO aggregated_data.candle_weekly AS target
        USING (
            SELECT
                coin_id,
                vs_currency,
                week,
                [open],
                high,
                low,
                [close],
                samples,
                days,
                is_complete
            FROM staging.candle_weekly
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.coin_id = target.coin_id
                AND source.vs_currency = target.vs_currency
                AND source.week = target.week
        WHEN MATCHED AND (
            target.[open] IS DISTINCT FROM source.[open]
            OR target.high IS DISTINCT FROM source.high
            OR target.low IS DISTINCT FROM source.low
            OR target.[close] IS DISTINCT FROM source.[close]
            OR target.samples IS DISTINCT FROM source.samples
            OR target.days IS DISTINCT FROM source.days
            OR target.is_complete IS DISTINCT FROM source.is_complete
        ) THEN
            UPDATE SET
                [open] = source.[open],
                high = source.high,
                low = source.low,
                [close] = source.[close],
                samples = source.samples,
                days = source.days,
                is_complete = source.is_complete
        WHEN NOT MATCHED THEN
            INSERT (
                coin_id,
                vs_currency,
                week,
                [open],
                high,
                low,
                [close],
                samples,
                days,
                is_complete
            ) VALUES (
                source.coin_id,
                source.vs_currency,
                source.week,
                source.[open],
                source.high,
                source.low,
                source.[close],
                source.samples,
                source.days,
                source.is_complete
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'candle_weekly';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'run_steps')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'run_steps' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.run_steps)
            THROW 51001, N'staging.run_steps is empty, and aggregated_data.run_steps is not: copy the table first.', 1;
        INSERT INTO staging.run_steps (run_id, step, is_deleted, load_id)
        SELECT target.run_id, target.step, 1, @load_id
        FROM aggregated_data.run_steps AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.run_steps AS source
            WHERE source.load_id = @load_id
                AND source.run_id = target.run_id
                AND source.step = target.step
        );
        MERGE INTO aggregated_data.run_steps AS target
        USING (
            SELECT
                run_id,
                step,
                status,
                started_at,
                ended_at,
                seconds,
                rows_read,
                rows_written,
                rows_rejected,
                table_versions,
                parameters,
                code_hash,
                message
            FROM staging.run_steps
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.run_id = target.run_id
                AND source.step = target.step
        WHEN MATCHED AND (
            target.status IS DISTINCT FROM source.status
            OR target.started_at IS DISTINCT FROM source.started_at
            OR target.ended_at IS DISTINCT FROM source.ended_at
            OR target.seconds IS DISTINCT FROM source.seconds
            OR target.rows_read IS DISTINCT FROM source.rows_read
            OR target.rows_written IS DISTINCT FROM source.rows_written
            OR target.rows_rejected IS DISTINCT FROM source.rows_rejected
            OR target.table_versions IS DISTINCT FROM source.table_versions
            OR target.parameters IS DISTINCT FROM source.parameters
            OR target.code_hash IS DISTINCT FROM source.code_hash
            OR target.message IS DISTINCT FROM source.message
        ) THEN
            UPDATE SET
                status = source.status,
                started_at = source.started_at,
                ended_at = source.ended_at,
                seconds = source.seconds,
                rows_read = source.rows_read,
                rows_written = source.rows_written,
                rows_rejected = source.rows_rejected,
                table_versions = source.table_versions,
                parameters = source.parameters,
                code_hash = source.code_hash,
                message = source.message
        WHEN NOT MATCHED THEN
            INSERT (
                run_id,
                step,
                status,
                started_at,
                ended_at,
                seconds,
                rows_read,
                rows_written,
                rows_rejected,
                table_versions,
                parameters,
                code_hash,
                message
            ) VALUES (
                source.run_id,
                source.step,
                source.status,
                source.started_at,
                source.ended_at,
                source.seconds,
                source.rows_read,
                source.rows_written,
                source.rows_rejected,
                source.table_versions,
                source.parameters,
                source.code_hash,
                source.message
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'run_steps';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'pipeline_runs')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'pipeline_runs' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.pipeline_runs)
            THROW 51001, N'staging.pipeline_runs is empty, and aggregated_data.pipeline_runs is not: copy the table first.', 1;
        INSERT INTO staging.pipeline_runs (run_id, is_deleted, load_id)
        SELECT target.run_id, 1, @load_id
        FROM aggregated_data.pipeline_runs AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.pipeline_runs AS source
            WHERE source.load_id = @load_id
                AND source.run_id = target.run_id
        );
        MERGE INTO aggregated_data.pipeline_runs AS target
        USING (
            SELECT
                run_id,
                status,
                started_at,
                ended_at,
                seconds,
                steps,
                rows_read,
                rows_written,
                rows_rejected
            FROM staging.pipeline_runs
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.run_id = target.run_id
        WHEN MATCHED AND (
            target.status IS DISTINCT FROM source.status
            OR target.started_at IS DISTINCT FROM source.started_at
            OR target.ended_at IS DISTINCT FROM source.ended_at
            OR target.seconds IS DISTINCT FROM source.seconds
            OR target.steps IS DISTINCT FROM source.steps
            OR target.rows_read IS DISTINCT FROM source.rows_read
            OR target.rows_written IS DISTINCT FROM source.rows_written
            OR target.rows_rejected IS DISTINCT FROM source.rows_rejected
        ) THEN
            UPDATE SET
                status = source.status,
                started_at = source.started_at,
                ended_at = source.ended_at,
                seconds = source.seconds,
                steps = source.steps,
                rows_read = source.rows_read,
                rows_written = source.rows_written,
                rows_rejected = source.rows_rejected
        WHEN NOT MATCHED THEN
            INSERT (
                run_id,
                status,
                started_at,
                ended_at,
                seconds,
                steps,
                rows_read,
                rows_written,
                rows_rejected
            ) VALUES (
                source.run_id,
                source.status,
                source.started_at,
                source.ended_at,
                source.seconds,
                source.steps,
                source.rows_read,
                source.rows_written,
                source.rows_rejected
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'pipeline_runs';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'api_usage')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'api_usage' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.api_usage)
            THROW 51001, N'staging.api_usage is empty, and aggregated_data.api_usage is not: copy the table first.', 1;
        INSERT INTO staging.api_usage (date, endpoint, source, is_deleted, load_id)
        SELECT target.date, target.endpoint, target.source, 1, @load_id
        FROM aggregated_data.api_usage AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.api_usage AS source
            WHERE source.load_id = @load_id
                AND source.date = target.date
                AND source.endpoint = target.endpoint
                AND source.source = target.source
        );
        MERGE INTO aggregated_data.api_usage AS target
        USING (
            SELECT
                date,
                endpoint,
                source,
                attempts,
                landed,
                errors,
                rate_limited,
                credits,
                bytes
            FROM staging.api_usage
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.date = target.date
                AND source.endpoint = target.endpoint
                AND source.source = target.source
        WHEN MATCHED AND (
            target.attempts IS DISTINCT FROM source.attempts
            OR target.landed IS DISTINCT FROM source.landed
            OR target.errors IS DISTINCT FROM source.errors
            OR target.rate_limited IS DISTINCT FROM source.rate_limited
            OR target.credits IS DISTINCT FROM source.credits
            OR target.bytes IS DISTINCT FROM source.bytes
        ) THEN
            UPDATE SET
                attempts = source.attempts,
                landed = source.landed,
                errors = source.errors,
                rate_limited = source.rate_limited,
                credits = source.credits,
                bytes = source.bytes
        WHEN NOT MATCHED THEN
            INSERT (
                date,
                endpoint,
                source,
                attempts,
                landed,
                errors,
                rate_limited,
                credits,
                bytes
            ) VALUES (
                source.date,
                source.endpoint,
                source.source,
                source.attempts,
                source.landed,
                source.errors,
                source.rate_limited,
                source.credits,
                source.bytes
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'api_usage';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'freshness')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'freshness' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.freshness)
            THROW 51001, N'staging.freshness is empty, and aggregated_data.freshness is not: copy the table first.', 1;
        INSERT INTO staging.freshness (table_name, is_deleted, load_id)
        SELECT target.table_name, 1, @load_id
        FROM aggregated_data.freshness AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.freshness AS source
            WHERE source.load_id = @load_id
                AND source.table_name = target.table_name
        );
        MERGE INTO aggregated_data.freshness AS target
        USING (
            SELECT
                table_name,
                as_of,
                rows,
                sla_hours,
                version
            FROM staging.freshness
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.table_name = target.table_name
        WHEN MATCHED AND (
            target.as_of IS DISTINCT FROM source.as_of
            OR target.rows IS DISTINCT FROM source.rows
            OR target.sla_hours IS DISTINCT FROM source.sla_hours
            OR target.version IS DISTINCT FROM source.version
        ) THEN
            UPDATE SET
                as_of = source.as_of,
                rows = source.rows,
                sla_hours = source.sla_hours,
                version = source.version
        WHEN NOT MATCHED THEN
            INSERT (
                table_name,
                as_of,
                rows,
                sla_hours,
                version
            ) VALUES (
                source.table_name,
                source.as_of,
                source.rows,
                source.sla_hours,
                source.version
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'freshness';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'quarantine_daily')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'quarantine_daily' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.quarantine_daily)
            THROW 51001, N'staging.quarantine_daily is empty, and aggregated_data.quarantine_daily is not: copy the table first.', 1;
        INSERT INTO staging.quarantine_daily (date, table_name, reason, is_deleted, load_id)
        SELECT target.date, target.table_name, target.reason, 1, @load_id
        FROM aggregated_data.quarantine_daily AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.quarantine_daily AS source
            WHERE source.load_id = @load_id
                AND source.date = target.date
                AND source.table_name = target.table_name
                AND source.reason = target.reason
        );
        MERGE INTO aggregated_data.quarantine_daily AS target
        USING (
            SELECT
                date,
                table_name,
                reason,
                records,
                replayed
            FROM staging.quarantine_daily
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.date = target.date
                AND source.table_name = target.table_name
                AND source.reason = target.reason
        WHEN MATCHED AND (
            target.records IS DISTINCT FROM source.records
            OR target.replayed IS DISTINCT FROM source.replayed
        ) THEN
            UPDATE SET
                records = source.records,
                replayed = source.replayed
        WHEN NOT MATCHED THEN
            INSERT (
                date,
                table_name,
                reason,
                records,
                replayed
            ) VALUES (
                source.date,
                source.table_name,
                source.reason,
                source.records,
                source.replayed
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'quarantine_daily';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_now')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_now' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.market_now)
            THROW 51001, N'staging.market_now is empty, and aggregated_data.market_now is not: copy the table first.', 1;
        INSERT INTO staging.market_now (vs_currency, coin_id, is_deleted, load_id)
        SELECT target.vs_currency, target.coin_id, 1, @load_id
        FROM aggregated_data.market_now AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.market_now AS source
            WHERE source.load_id = @load_id
                AND source.vs_currency = target.vs_currency
                AND source.coin_id = target.coin_id
        );
        MERGE INTO aggregated_data.market_now AS target
        USING (
            SELECT
                vs_currency,
                coin_id,
                snapshot_at,
                symbol,
                name,
                price,
                market_cap,
                market_cap_rank,
                rank_change_24h,
                return_1h,
                return_24h,
                return_7d,
                return_30d,
                volume_24h,
                volume_ratio,
                high,
                high_at,
                distance_from_high,
                kind
            FROM staging.market_now
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.vs_currency = target.vs_currency
                AND source.coin_id = target.coin_id
        WHEN MATCHED AND (
            target.snapshot_at IS DISTINCT FROM source.snapshot_at
            OR target.symbol IS DISTINCT FROM source.symbol
            OR target.name IS DISTINCT FROM source.name
            OR target.price IS DISTINCT FROM source.price
            OR target.market_cap IS DISTINCT FROM source.market_cap
            OR target.market_cap_rank IS DISTINCT FROM source.market_cap_rank
            OR target.rank_change_24h IS DISTINCT FROM source.rank_change_24h
            OR target.return_1h IS DISTINCT FROM source.return_1h
            OR target.return_24h IS DISTINCT FROM source.return_24h
            OR target.return_7d IS DISTINCT FROM source.return_7d
            OR target.return_30d IS DISTINCT FROM source.return_30d
            OR target.volume_24h IS DISTINCT FROM source.volume_24h
            OR target.volume_ratio IS DISTINCT FROM source.volume_ratio
            OR target.high IS DISTINCT FROM source.high
            OR target.high_at IS DISTINCT FROM source.high_at
            OR target.distance_from_high IS DISTINCT FROM source.distance_from_high
            OR target.kind IS DISTINCT FROM source.kind
        ) THEN
            UPDATE SET
                snapshot_at = source.snapshot_at,
                symbol = source.symbol,
                name = source.name,
                price = source.price,
                market_cap = source.market_cap,
                market_cap_rank = source.market_cap_rank,
                rank_change_24h = source.rank_change_24h,
                return_1h = source.return_1h,
                return_24h = source.return_24h,
                return_7d = source.return_7d,
                return_30d = source.return_30d,
                volume_24h = source.volume_24h,
                volume_ratio = source.volume_ratio,
                high = source.high,
                high_at = source.high_at,
                distance_from_high = source.distance_from_high,
                kind = source.kind
        WHEN NOT MATCHED THEN
            INSERT (
                vs_currency,
                coin_id,
                snapshot_at,
                symbol,
                name,
                price,
                market_cap,
                market_cap_rank,
                rank_change_24h,
                return_1h,
                return_24h,
                return_7d,
                return_30d,
                volume_24h,
                volume_ratio,
                high,
                high_at,
                distance_from_high,
                kind
            ) VALUES (
                source.vs_currency,
                source.coin_id,
                source.snapshot_at,
                source.symbol,
                source.name,
                source.price,
                source.market_cap,
                source.market_cap_rank,
                source.rank_change_24h,
                source.return_1h,
                source.return_24h,
                source.return_7d,
                source.return_30d,
                source.volume_24h,
                source.volume_ratio,
                source.high,
                source.high_at,
                source.distance_from_high,
                source.kind
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'market_now';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_events')
    BEGIN
        IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_events' AND staged = 0)
            AND EXISTS (SELECT 1 FROM aggregated_data.market_events)
            THROW 51001, N'staging.market_events is empty, and aggregated_data.market_events is not: copy the table first.', 1;
        INSERT INTO staging.market_events (vs_currency, coin_id, kind, happened_at, is_deleted, load_id)
        SELECT target.vs_currency, target.coin_id, target.kind, target.happened_at, 1, @load_id
        FROM aggregated_data.market_events AS target
        WHERE NOT EXISTS (
            SELECT 1
            FROM staging.market_events AS source
            WHERE source.load_id = @load_id
                AND source.vs_currency = target.vs_currency
                AND source.coin_id = target.coin_id
                AND source.kind = target.kind
                AND source.happened_at = target.happened_at
        );
        MERGE INTO aggregated_data.market_events AS target
        USING (
            SELECT
                vs_currency,
                coin_id,
                kind,
                happened_at,
                value,
                reference
            FROM staging.market_events
            WHERE load_id = @load_id
                AND is_deleted = 0
        ) AS source
            ON source.vs_currency = target.vs_currency
                AND source.coin_id = target.coin_id
                AND source.kind = target.kind
                AND source.happened_at = target.happened_at
        WHEN MATCHED AND (
            target.value IS DISTINCT FROM source.value
            OR target.reference IS DISTINCT FROM source.reference
        ) THEN
            UPDATE SET
                value = source.value,
                reference = source.reference
        WHEN NOT MATCHED THEN
            INSERT (
                vs_currency,
                coin_id,
                kind,
                happened_at,
                value,
                reference
            ) VALUES (
                source.vs_currency,
                source.coin_id,
                source.kind,
                source.happened_at,
                source.value,
                source.reference
            );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET merged = @rows WHERE name = N'market_events';
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_events')
    BEGIN
        DELETE FROM aggregated_data.market_events
        WHERE EXISTS (
            SELECT 1
            FROM staging.market_events AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.vs_currency = market_events.vs_currency
                AND source.coin_id = market_events.coin_id
                AND source.kind = market_events.kind
                AND source.happened_at = market_events.happened_at
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'market_events';
        DELETE FROM staging.market_events WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_now')
    BEGIN
        DELETE FROM aggregated_data.market_now
        WHERE EXISTS (
            SELECT 1
            FROM staging.market_now AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.vs_currency = market_now.vs_currency
                AND source.coin_id = market_now.coin_id
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'market_now';
        DELETE FROM staging.market_now WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'quarantine_daily')
    BEGIN
        DELETE FROM aggregated_data.quarantine_daily
        WHERE EXISTS (
            SELECT 1
            FROM staging.quarantine_daily AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.date = quarantine_daily.date
                AND source.table_name = quarantine_daily.table_name
                AND source.reason = quarantine_daily.reason
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'quarantine_daily';
        DELETE FROM staging.quarantine_daily WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'freshness')
    BEGIN
        DELETE FROM aggregated_data.freshness
        WHERE EXISTS (
            SELECT 1
            FROM staging.freshness AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.table_name = freshness.table_name
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'freshness';
        DELETE FROM staging.freshness WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'api_usage')
    BEGIN
        DELETE FROM aggregated_data.api_usage
        WHERE EXISTS (
            SELECT 1
            FROM staging.api_usage AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.date = api_usage.date
                AND source.endpoint = api_usage.endpoint
                AND source.source = api_usage.source
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'api_usage';
        DELETE FROM staging.api_usage WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'pipeline_runs')
    BEGIN
        DELETE FROM aggregated_data.pipeline_runs
        WHERE EXISTS (
            SELECT 1
            FROM staging.pipeline_runs AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.run_id = pipeline_runs.run_id
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'pipeline_runs';
        DELETE FROM staging.pipeline_runs WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'run_steps')
    BEGIN
        DELETE FROM aggregated_data.run_steps
        WHERE EXISTS (
            SELECT 1
            FROM staging.run_steps AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.run_id = run_steps.run_id
                AND source.step = run_steps.step
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'run_steps';
        DELETE FROM staging.run_steps WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'candle_weekly')
    BEGIN
        DELETE FROM aggregated_data.candle_weekly
        WHERE EXISTS (
            SELECT 1
            FROM staging.candle_weekly AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.coin_id = candle_weekly.coin_id
                AND source.vs_currency = candle_weekly.vs_currency
                AND source.week = candle_weekly.week
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'candle_weekly';
        DELETE FROM staging.candle_weekly WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'candle_hourly')
    BEGIN
        DELETE FROM aggregated_data.candle_hourly
        WHERE EXISTS (
            SELECT 1
            FROM staging.candle_hourly AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.coin_id = candle_hourly.coin_id
                AND source.vs_currency = candle_hourly.vs_currency
                AND source.hour = candle_hourly.hour
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'candle_hourly';
        DELETE FROM staging.candle_hourly WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'correlation_90d')
    BEGIN
        DELETE FROM aggregated_data.correlation_90d
        WHERE EXISTS (
            SELECT 1
            FROM staging.correlation_90d AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.coin_a = correlation_90d.coin_a
                AND source.coin_b = correlation_90d.coin_b
                AND source.vs_currency = correlation_90d.vs_currency
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'correlation_90d';
        DELETE FROM staging.correlation_90d WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'coin_monthly')
    BEGIN
        DELETE FROM aggregated_data.coin_monthly
        WHERE EXISTS (
            SELECT 1
            FROM staging.coin_monthly AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.coin_id = coin_monthly.coin_id
                AND source.vs_currency = coin_monthly.vs_currency
                AND source.month = coin_monthly.month
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'coin_monthly';
        DELETE FROM staging.coin_monthly WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_daily')
    BEGIN
        DELETE FROM aggregated_data.market_daily
        WHERE EXISTS (
            SELECT 1
            FROM staging.market_daily AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.date = market_daily.date
                AND source.vs_currency = market_daily.vs_currency
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'market_daily';
        DELETE FROM staging.market_daily WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'market_trends_daily')
    BEGIN
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
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'market_trends_daily';
        DELETE FROM staging.market_trends_daily WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'price_averages_daily')
    BEGIN
        DELETE FROM aggregated_data.price_averages_daily
        WHERE EXISTS (
            SELECT 1
            FROM staging.price_averages_daily AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.coin_id = price_averages_daily.coin_id
                AND source.vs_currency = price_averages_daily.vs_currency
                AND source.date = price_averages_daily.date
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'price_averages_daily';
        DELETE FROM staging.price_averages_daily WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'fact_price_daily')
    BEGIN
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
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'fact_price_daily';
        DELETE FROM staging.fact_price_daily WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'fact_market_snapshot')
    BEGIN
        DELETE FROM aggregated_data.fact_market_snapshot
        WHERE EXISTS (
            SELECT 1
            FROM staging.fact_market_snapshot AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.coin_id = fact_market_snapshot.coin_id
                AND source.vs_currency = fact_market_snapshot.vs_currency
                AND source.snapshot_at = fact_market_snapshot.snapshot_at
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'fact_market_snapshot';
        DELETE FROM staging.fact_market_snapshot WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'dim_currency')
    BEGIN
        DELETE FROM aggregated_data.dim_currency
        WHERE EXISTS (
            SELECT 1
            FROM staging.dim_currency AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.currency_key = dim_currency.currency_key
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'dim_currency';
        DELETE FROM staging.dim_currency WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'dim_date')
    BEGIN
        DELETE FROM aggregated_data.dim_date
        WHERE EXISTS (
            SELECT 1
            FROM staging.dim_date AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.date_key = dim_date.date_key
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'dim_date';
        DELETE FROM staging.dim_date WHERE load_id = @load_id;
    END;

    IF EXISTS (SELECT 1 FROM @done WHERE name = N'dim_coin')
    BEGIN
        DELETE FROM aggregated_data.dim_coin
        WHERE EXISTS (
            SELECT 1
            FROM staging.dim_coin AS source
            WHERE source.load_id = @load_id
                AND source.is_deleted = 1
                AND source.coin_key = dim_coin.coin_key
        );
        SET @rows = @@ROWCOUNT;
        UPDATE @done SET deleted = @rows WHERE name = N'dim_coin';
        DELETE FROM staging.dim_coin WHERE load_id = @load_id;
    END;

    INSERT INTO control.load_log (
        load_id,
        table_name,
        delta_table_id,
        delta_version,
        delta_committed_at,
        is_full,
        rows_staged,
        rows_merged,
        rows_deleted,
        run_id
    )
    SELECT @load_id, name, N'copied by Data Factory', 0, '1970-01-01', 1, staged, merged, deleted, @run_id
    FROM @done;
    COMMIT TRANSACTION;
END;
