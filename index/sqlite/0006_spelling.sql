-- Words have one spelling now (groundswell.index.spelling): simplified words find traditional posts and the other way
-- round, Thai is found however it was typed. The words of all documents are made anew by the migration.

DROP TABLE words;

CREATE VIRTUAL TABLE words USING fts5 (
    title, text, content = '', tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co So'"
);
