-- A user of this database only (contained: no login on the server), and its role. $(principal) is the name of a
-- managed identity, a service principal, a group or a person in Microsoft Entra ID.
IF DATABASE_PRINCIPAL_ID(N'$(principal)') IS NULL CREATE USER [$(principal)] FROM EXTERNAL PROVIDER;
GO
ALTER ROLE [$(role)] ADD MEMBER [$(principal)];
