"""The one list of exceptions of the house's tests: what stands without a door, and why."""

from __future__ import annotations

from collections.abc import Mapping

CALLED_FROM_OUTSIDE: Mapping[str, str] = {
    "crawlers.guard.GuardMiddleware.process_request": "Scrapy calls its middlewares",
    "crawlers.guard.GuardMiddleware.process_response": "Scrapy calls its middlewares",
    "crawlers.politeness.PatienceMiddleware.process_request": "Scrapy calls its middlewares",
    "crawlers.politeness.PatienceMiddleware.process_response": "Scrapy calls its middlewares",
    "crawlers.politeness.CookiesMiddleware.process_request": "Scrapy calls its middlewares",
    "crawlers.politeness.CookiesMiddleware.process_response": "Scrapy calls its middlewares",
    "crawlers.politeness.RobotsMiddleware.process_request": "Scrapy calls its middlewares",
    "crawlers.politeness.TurnMiddleware.process_exception": "Scrapy calls its middlewares",
    "crawlers.politeness.TurnMiddleware.process_request": "Scrapy calls its middlewares",
    "crawlers.politeness.TurnMiddleware.process_response": "Scrapy calls its middlewares",
    "crawlers.politeness.WitnessMiddleware.process_exception": "Scrapy calls its middlewares",
    "crawlers.politeness.WitnessMiddleware.process_response": "Scrapy calls its middlewares",
    "crawlers.spiders.base.SpoolPipeline.open_spider": "Scrapy calls its pipelines",
    "crawlers.spiders.base.SpoolPipeline.process_item": "Scrapy calls its pipelines",
    "ui.watch.health._Quiet.log_message": "wsgiref calls it for each request",
    "index.sql_child._WithoutPandas.find_spec": "importlib asks its finders",
    "ui.cli.LazyGroup.format_commands": "click calls it for --help",
}
"""Public functions that nothing of ours calls."""
READ_AS_A_WHOLE: Mapping[str, str] = {}
"""Settings that nobody reads by their name."""
