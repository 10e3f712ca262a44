-- One load at a time, whoever starts it. The lock belongs to the session and goes with it.
DECLARE @granted INT;
EXEC @granted = sp_getapplock
    @Resource = N'coinlake.load',
    @LockMode = 'Exclusive',
    @LockOwner = 'Session',
    @LockTimeout = 0;
SELECT @granted AS granted;
