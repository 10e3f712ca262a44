-- The next load need not wait until the server has noticed that this session is closed.
EXEC sp_releaseapplock @Resource = N'coinlake.load', @LockOwner = 'Session';
