"""Counting what is talked about and testing it against its own past."""
