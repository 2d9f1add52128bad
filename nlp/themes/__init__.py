"""Themes: what people talk about, found as it appears, under ids that keep their meaning."""
