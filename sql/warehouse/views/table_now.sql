-- One row per table of the lake: how far it reaches, against what was promised.
CREATE OR ALTER VIEW reporting.table_now
AS
SELECT
    freshness.table_name,
    freshness.as_of,
    freshness.rows,
    freshness.sla_hours,
    freshness.version
FROM aggregated_data.freshness AS freshness;
