"""Telling people at once: what is to be told, to whom, in which shape, and what became of it."""
