"""Spiders by format: feed, sitemap, forum, reviews."""
