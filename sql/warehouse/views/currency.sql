-- One row per currency that prices are quoted in.
CREATE OR ALTER VIEW reporting.currency
AS
SELECT
    currency.currency AS vs_currency,
    currency.name,
    currency.kind
FROM aggregated_data.dim_currency AS currency;
