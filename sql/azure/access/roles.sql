-- Who may do what, by role; users join a role with user.sql. Run by an administrator, after the first
-- migration, which makes the schemas. Views and tables have one owner, so readers need no right on the tables.
IF DATABASE_PRINCIPAL_ID(N'coinlake_reader') IS NULL CREATE ROLE coinlake_reader;
GO
GRANT SELECT ON SCHEMA::reporting TO coinlake_reader;
GO
-- Analysts may also look behind the views.
IF DATABASE_PRINCIPAL_ID(N'coinlake_analyst') IS NULL CREATE ROLE coinlake_analyst;
GO
GRANT SELECT ON SCHEMA::reporting TO coinlake_analyst;
GO
GRANT SELECT ON SCHEMA::aggregated_data TO coinlake_analyst;
GO
-- The factory copies rows into staging, has them merged, and reads how far loads have come.
IF DATABASE_PRINCIPAL_ID(N'coinlake_factory') IS NULL CREATE ROLE coinlake_factory;
GO
GRANT SELECT, INSERT, DELETE, ALTER ON SCHEMA::staging TO coinlake_factory;
GO
GRANT SELECT, EXECUTE ON SCHEMA::control TO coinlake_factory;
GO
GRANT SELECT ON SCHEMA::reporting TO coinlake_factory;
GO
-- Whoever runs notebook 05 loads, and brings tables and views up to date.
IF DATABASE_PRINCIPAL_ID(N'coinlake_loader') IS NULL CREATE ROLE coinlake_loader;
GO
GRANT CREATE TABLE, CREATE VIEW, CREATE PROCEDURE TO coinlake_loader;
GO
GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, REFERENCES ON SCHEMA::control TO coinlake_loader;
GO
GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, REFERENCES ON SCHEMA::staging TO coinlake_loader;
GO
GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, REFERENCES ON SCHEMA::aggregated_data TO coinlake_loader;
GO
GRANT SELECT, ALTER ON SCHEMA::reporting TO coinlake_loader;
