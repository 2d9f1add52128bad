-- What documents are counted by, packed as it lies in memory (groundswell.index.sqlite.columns): a block holds all
-- fields of 2,048 row numbers, so that a reader has a million documents in a blink and counts whatever it is asked.
-- It takes the place of the roll-up, which knew only some questions. seq grows with every write, so that a reader's
-- copy catches up by reading only what is new. Blocks of documents that are there already are made by the migration.

CREATE TABLE code (code INTEGER PRIMARY KEY, field TEXT NOT NULL, value TEXT NOT NULL);
CREATE UNIQUE INDEX code_value ON code (field, value);

CREATE TABLE packed (block INTEGER PRIMARY KEY, seq INTEGER NOT NULL, rows BLOB NOT NULL, tags BLOB NOT NULL);
CREATE INDEX packed_seq ON packed (seq);

DROP TABLE rollup;
