"""From mention to meaning: language, near-duplicates, encoder, heads, rules, themes, signals."""
