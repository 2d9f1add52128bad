"""The embedded store: one SQLite file (WAL, FTS5, vectors), nothing to install, readers never block."""
