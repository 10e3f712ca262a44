-- One row per UTC day that the facts reach: what tools join dates to, and group them by.
CREATE OR ALTER VIEW reporting.calendar
AS
SELECT
    day.date,
    day.year,
    day.quarter,
    day.month,
    day.month_name,
    day.iso_week,
    day.day_of_week,
    day.day_name,
    day.is_weekend
FROM aggregated_data.dim_date AS day;
