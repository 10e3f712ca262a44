-- Requests per day, endpoint and source, and what they cost.
CREATE TABLE aggregated_data.api_usage (
    date DATE NOT NULL,
    endpoint NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL,
    source NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    attempts INT NOT NULL,
    landed INT NOT NULL,
    errors INT NOT NULL,
    rate_limited INT NOT NULL,
    credits INT NOT NULL,
    bytes BIGINT NOT NULL,
    CONSTRAINT pk_api_usage PRIMARY KEY (date, endpoint, source)
);
