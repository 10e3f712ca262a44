-- Views for people and for BI tools: names instead of keys.
CREATE SCHEMA reporting;
