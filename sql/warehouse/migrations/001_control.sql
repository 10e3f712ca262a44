-- The warehouse's own records: which files of sql/warehouse it holds, and what was loaded.
CREATE SCHEMA control;
