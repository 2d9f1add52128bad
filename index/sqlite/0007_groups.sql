-- What records are told apart by (groundswell.index.groups), beside their JSON: alerts are found among weaker signals,
-- and visits counted by source and day, without reading the others. Rows that are there are filled in by the migration.

ALTER TABLE record ADD COLUMN state TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE INDEX record_state ON record (kind, state, at DESC, id);
CREATE INDEX record_subject ON record (kind, subject, at DESC, id, state);

REPLACE INTO meta VALUES ('records', '7');
