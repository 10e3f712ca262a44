-- What a coin is by how it moves, and of a copy which coin it follows. Not every server can add a column whose length
-- is limited.
ALTER TABLE aggregated_data.dim_coin ADD kind NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL;
GO
ALTER TABLE aggregated_data.dim_coin ADD original_id NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL;
