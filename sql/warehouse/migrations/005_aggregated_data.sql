-- The gold layer, table by table and column by column as in the lake.
CREATE SCHEMA aggregated_data;
