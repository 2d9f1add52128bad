-- Which days hold something new since the last export: seq grows with every write to a document of that day.

CREATE TABLE changed (day INTEGER PRIMARY KEY, seq INTEGER NOT NULL);

INSERT INTO changed SELECT DISTINCT day, 1 FROM rollup WHERE field = '';

REPLACE INTO meta VALUES ('change', '1');
