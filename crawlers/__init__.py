"""From the world to mentions: Scrapy spiders by format, extraction, politeness."""
