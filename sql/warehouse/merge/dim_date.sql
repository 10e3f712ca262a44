-- Generated from the migrations by coinlake sql generate: edit those instead.

-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.dim_date (date_key, is_deleted, load_id)
SELECT target.date_key, 1, @load_id
FROM aggregated_data.dim_date AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.dim_date AS source
    WHERE source.load_id = @load_id
        AND source.date_key = target.date_key
);
GO
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
GO
DELETE FROM aggregated_data.dim_date
WHERE EXISTS (
    SELECT 1
    FROM staging.dim_date AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND source.date_key = dim_date.date_key
);
