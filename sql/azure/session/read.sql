-- A reader: all that it asks is answered as of one moment, and it blocks nobody.
SET TRANSACTION ISOLATION LEVEL SNAPSHOT;
