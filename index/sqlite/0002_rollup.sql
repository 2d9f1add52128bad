-- Counts by day, kept exactly right by every write (groundswell.index.sqlite.rollup), so that the board never counts
-- documents one by one. field = '' counts documents; field = theme, risk, target or rule counts them by that field's
-- values, '' standing for those that have none. day is the begin of the day, mood a sum of millionths.

CREATE TABLE rollup (
    field TEXT NOT NULL, value TEXT NOT NULL, day INTEGER NOT NULL,
    source TEXT NOT NULL, kind TEXT NOT NULL, lang TEXT NOT NULL, market TEXT NOT NULL,
    date_confidence TEXT NOT NULL, sentiment TEXT NOT NULL,
    documents INTEGER NOT NULL, moods INTEGER NOT NULL, mood INTEGER NOT NULL,
    PRIMARY KEY (field, value, day, source, kind, lang, market, date_confidence, sentiment)
) WITHOUT ROWID;

CREATE TEMP VIEW counted AS SELECT
    *, CASE at WHEN -4611686018427387904 THEN at ELSE at - ((at % 86400000000) + 86400000000) % 86400000000 END AS day
FROM main.document;

INSERT INTO rollup
SELECT '', '', day, source, kind, lang, market, date_confidence, sentiment, count(*), count(mood), total(mood)
FROM counted GROUP BY 3, 4, 5, 6, 7, 8, 9;

INSERT INTO rollup
SELECT 'theme', theme, day, source, kind, lang, market, date_confidence, sentiment, count(*), count(mood), total(mood)
FROM counted GROUP BY 2, 3, 4, 5, 6, 7, 8, 9;

INSERT INTO rollup
SELECT
    f.column1, coalesce(t.value, ''), day, source, kind, lang, market, date_confidence, sentiment,
    count(*), count(mood), total(mood)
FROM counted c
CROSS JOIN (VALUES ('risk'), ('target'), ('rule')) f
LEFT JOIN main.tag t ON t.n = c.n AND t.field = f.column1
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9;

DROP VIEW counted;
