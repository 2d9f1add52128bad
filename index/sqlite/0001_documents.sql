-- Documents, narrow for counting (document) and whole for showing (body); the words of both title and text (words);
-- everything else (record). Times are microseconds since 1970 UTC; -4611686018427387904 stands for "no trustworthy date".

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE document (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    lang TEXT NOT NULL,
    market TEXT NOT NULL,
    date_confidence TEXT NOT NULL,
    sentiment TEXT NOT NULL,
    theme TEXT NOT NULL,
    author TEXT NOT NULL,
    thread TEXT NOT NULL,
    duplicate TEXT NOT NULL,
    mood INTEGER,                       -- millionths, so that sums are exact
    made_by TEXT NOT NULL,
    enriched INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    vector INTEGER NOT NULL
);
CREATE INDEX document_at ON document (at, id);
CREATE INDEX document_source ON document (source, at);
CREATE INDEX document_theme ON document (theme, at);
CREATE INDEX document_duplicate ON document (duplicate);
CREATE INDEX document_author ON document (author) WHERE author <> '';
CREATE INDEX document_thread ON document (thread) WHERE thread <> '';
CREATE INDEX document_to_enrich ON document (at, id) WHERE enriched = 0;
CREATE INDEX document_to_place ON document (at, id) WHERE membership = 0;
CREATE INDEX document_to_embed ON document (at, id) WHERE vector = 0;

CREATE TABLE body (n INTEGER PRIMARY KEY, mention TEXT NOT NULL, enriched TEXT, membership TEXT);

-- What a document has several of: risk, target, rule.
CREATE TABLE tag (
    field TEXT NOT NULL, value TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (field, value, n)
) WITHOUT ROWID;
CREATE INDEX tag_n ON tag (n, field, value);

-- `seq` grows with every write, so that a reader's copy in memory catches up by reading only what is new.
CREATE TABLE vector (n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, half BLOB NOT NULL);
CREATE UNIQUE INDEX vector_seq ON vector (seq);

-- Words come from groundswell.index.segment; the tokenizer only splits at spaces.
CREATE VIRTUAL TABLE words USING fts5 (
    title, text, content = '', tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co So'"
);

CREATE TABLE record (
    kind TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX record_at ON record (kind, at DESC, id);
