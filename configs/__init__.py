"""Configuration: what the user decides."""
