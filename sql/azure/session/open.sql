-- Every session: a statement that fails takes its whole transaction with it, and none waits for a lock for ever.
SET XACT_ABORT ON;
GO
SET LOCK_TIMEOUT 60000;
