-- What policy and cards read of a signal has become fields, and a snooze a record of its own: both are written anew by
-- the migration (groundswell.index.sqlite.others.modernise), record by record, as groundswell.index.older says.

REPLACE INTO meta VALUES ('records', '5');
