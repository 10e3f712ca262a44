-- Takes $(principal) out of a role; as a user of the database it stays, and may do nothing by that.
ALTER ROLE [$(role)] DROP MEMBER [$(principal)];
