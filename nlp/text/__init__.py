"""Text before any model: cleaned, its language, its words, its copies."""
