-- Rows on their way: each table of aggregated_data has a staging table of the same name.
CREATE SCHEMA staging;
