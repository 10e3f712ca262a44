-- How many coins stand behind the numbers of a day.
ALTER TABLE aggregated_data.market_daily ADD coins_with_return_1d INT NULL;
GO
ALTER TABLE aggregated_data.market_daily ADD coins_with_volatility_30d INT NULL;
GO
ALTER TABLE aggregated_data.market_daily ADD coins_with_market_cap INT NULL;
