-- As user.sql, for whoever makes users without leave to ask Microsoft Entra ID, as a service principal is: the id is
-- given instead. The SID stands for the id, TYPE is E for an application or a managed identity and X for a group.
IF DATABASE_PRINCIPAL_ID(N'$(principal)') IS NULL CREATE USER [$(principal)] WITH SID = 0x00000000000000000000000000000000, TYPE = E;
GO
ALTER ROLE [$(role)] ADD MEMBER [$(principal)];
