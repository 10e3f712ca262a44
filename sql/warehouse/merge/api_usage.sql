-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
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
GO
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
GO
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
