"""When something was published: stated dates read to the last letter, and the best of several statements."""

from groundswell.crawlers.dates.choose import Statement, choose_date
from groundswell.crawlers.dates.locale import DateLocale, Order
from groundswell.crawlers.dates.read import EARLIEST, Stamp, When, read_date

__all__ = ["EARLIEST", "DateLocale", "Order", "Stamp", "Statement", "When", "choose_date", "read_date"]
