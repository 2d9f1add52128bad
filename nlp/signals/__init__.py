"""From meaning to signals: what departs from its own past, how sure that is, and whether a person must know."""
