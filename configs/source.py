"""What a source is: one YAML file each, checked before anything is fetched."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from groundswell.configs.schema import CrawlSettings, Section
from groundswell.configs.searches import queries
from groundswell.configs.watch import WatchList, pick, read_watch
from groundswell.configs.yaml_lines import ConfigError, LinedYaml, explain, nearest, read_yaml

Kind = Literal["news", "post", "review", "comment", "regulator"]
"""As in `groundswell.index.records`, which configs may not import; a test holds the two together."""
B = TypeVar("B", bound="BaseSource")
SHIPPED = Path(__file__).parent / "sources"
"""Where the sources that come with Groundswell are."""
Market = Annotated[str, Field(pattern=r"^([A-Z]{2}|)$")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$", max_length=2000)]
Tag = Annotated[str, Field(pattern=r"^\w{1,100}$")]


GDELT_LONGEST = 250
GDELT_COUNTRIES = {
    "SG": "singapore", "MY": "malaysia", "ID": "indonesia", "TH": "thailand", "VN": "vietnam", "PH": "philippines",
    "AU": "australia", "NZ": "newzealand", "US": "unitedstates", "GB": "unitedkingdom", "IN": "india", "HK": "hongkong",
    "TW": "taiwan", "CN": "china",
}  # fmt: skip
"""GDELT's own names; its two letters are not ISO's (SG is SN, VN is VM, PH is RP, AU is AS)."""


def _jmespath(value: str) -> str:
    import jmespath  # only who reads such a source pays for it
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(value or "@")
    except JMESPathError as error:
        reason = str(error).replace("\n", " ")[:200]
        raise ValueError(f"not a JMESPath expression: {reason}; see https://jmespath.org/tutorial.html") from None
    return value


def _zone(value: str) -> str:
    if value and value not in zoneinfo.available_timezones():
        raise ValueError(f"there is no time zone {value!r}{nearest(value, sorted(zoneinfo.available_timezones()))}")
    return value


Path_ = Annotated[str, Field(max_length=500), AfterValidator(_jmespath)]


class Floor(Section):
    """The least that a healthy source brings; below it the run carries a complaint, so that silence is heard."""

    per_run: int = Field(default=0, ge=0)
    """Items that one visit must find, unless the server said that nothing changed."""
    per_day: int = Field(default=0, ge=0)
    """New items that the last 24 hours must have brought, once the source has been visited for a day."""


class Politeness(Section):
    """Where this host wants to be treated otherwise than crawl settings say."""

    delay_seconds: float | None = Field(default=None, ge=0, le=600)
    """Pause between two requests."""
    concurrent: int | None = Field(default=None, ge=1, le=16)
    """Requests at a time."""
    timeout_seconds: float | None = Field(default=None, gt=0, le=600)
    """How long a page may take."""
    run_seconds: float = Field(default=900, gt=0, le=86400)
    """How long one visit to this source may take in all."""


class BaseSource(Section):
    """What every source says about itself."""

    name: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_-]{0,60}$")
    """Short name; by default the file's name."""
    title: str = ""
    """Name for people."""
    kind: Kind
    """What its texts are: news, post, review, comment or regulator."""
    market: Market = ""
    """ISO 3166 country code the texts are about, or empty for the world."""
    lang: str = Field(default="", pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*|)$")
    """Language hint (BCP 47), where the source has one language."""
    timezone: Annotated[str, AfterValidator(_zone)] = ""
    """IANA time zone of times that name none (Asia/Jakarta); left out: the market's, where it has only one. A time
    whose zone nobody knows is kept as a day."""
    licence: str = ""
    """Licence or terms under which the texts may be read."""
    note: str = ""
    """What whoever runs this should know."""
    enabled: bool = True
    """Whether it is crawled."""
    every_minutes: float | None = Field(default=None, ge=0.05, le=10080)
    """How often `groundswell watch` visits it; left out: as often as watch.every_minutes says."""
    backfill_days: float = Field(default=7, gt=0, le=36500)
    """How far back the first visit looks."""
    max_items: int = Field(default=2000, ge=1)
    """Items that one visit takes at most; the rest comes with the next visit."""
    min_chars: int = Field(default=1, ge=1)
    """A shorter text is refused."""
    watch: tuple[str, ...] = ()
    """Watch lists (``ads``) or rules of one (``ads.scam_ads``): only texts on their topics are kept. A format that
    searches and has nothing else to ask asks for their words."""
    floor: Floor = Floor()
    politeness: Politeness = Politeness()
    asks: ClassVar[str] = ""
    """Setting that the words of watch lists go into, where it is empty."""
    trusts_search: ClassVar[bool] = False
    """Whether what the service found for watch terms counts as on topic: it has read more than it shows."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the addresses it fetches first, for grouping by host."""
        return ()


class FeedSource(BaseSource):
    """RSS or Atom."""

    format: Literal["feed"]
    urls: tuple[Url, ...] = Field(min_length=1)
    """Addresses of the feeds."""
    follow: bool = False
    """Whether each entry's link is fetched for the article's full text."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the feeds."""
        return self.urls


class SitemapSource(BaseSource):
    """A (news) sitemap or sitemap index, and the articles it names."""

    format: Literal["sitemap"]
    urls: tuple[Url, ...] = Field(min_length=1)
    """Addresses of sitemaps or sitemap indexes; may be gzipped."""
    include: tuple[str, ...] = ()
    """Only articles whose address contains one of these."""
    exclude: tuple[str, ...] = ()
    """No articles whose address contains one of these."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the sitemaps."""
        return self.urls


class SearchSource(BaseSource):
    """What is found by asking a service for words."""

    queries: tuple[Annotated[str, Field(max_length=1000)], ...] = ()
    """What is searched for, in the service's own syntax; left out: the words of the watch lists."""
    most_queries: int = Field(default=80, ge=1, le=1000)
    """Watch lists may not become more searches than so many."""
    asks: ClassVar[str] = "queries"

    @model_validator(mode="after")
    def _searches_something(self) -> Self:
        return _either(self, "queries", "watch")


class HackernewsSource(SearchSource):
    """Hacker News by the Algolia search API."""

    format: Literal["hackernews"]
    url: Url = "https://hn.algolia.com"
    """Address of the service."""
    tags: tuple[Literal["story", "comment"], ...] = ("story", "comment")
    """Which posts."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the service."""
        return (self.url,)


class BlueskySource(SearchSource):
    """Public posts on Bluesky by its search."""

    format: Literal["bluesky"]
    url: Url = "https://api.bsky.app"
    """Address of the service."""
    langs: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = ()
    """Only posts that call themselves of these languages; half of all posts state none and would be missed."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the service."""
        return (self.url,)


class LemmySource(SearchSource):
    """Posts and comments on a Lemmy server by its search."""

    format: Literal["lemmy"]
    url: Url
    """Address of the server."""
    api: Literal["auto", "v3", "v4"] = "auto"
    """Version of its API; auto asks for v4 (Lemmy 1.0) and takes v3 where there is none."""
    types: tuple[Literal["posts", "comments"], ...] = Field(default=("posts", "comments"), min_length=1)
    """What is searched."""
    bots: bool = False
    """Whether what accounts write that call themselves bots is taken."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the server."""
        return (self.url,)


class StackexchangeSource(SearchSource):
    """Questions on Stack Exchange sites by its search."""

    format: Literal["stackexchange"]
    url: Url = "https://api.stackexchange.com"
    """Address of the service."""
    sites: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]{2,60}$")], ...] = Field(min_length=1)
    """Sites by their names in the API, such as webmasters."""
    key_env: str = "GROUNDSWELL_STACKEXCHANGE_KEY"
    """Environment variable with a key, which raises the quota of 300 requests a day; works without."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the service."""
        return (self.url,)


class GdeltSource(SearchSource):
    """Headlines of the world's news in 65 languages by GDELT's search."""

    format: Literal["gdelt"]
    url: Url = "https://api.gdeltproject.org"
    """Address of the service."""
    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ()
    """Only media of these countries (ISO 3166); those of our markets, US, GB, IN, HK, TW and CN are known."""
    politeness: Politeness = Politeness(delay_seconds=6)
    trusts_search: ClassVar[bool] = True

    @field_validator("queries")
    @classmethod
    def _fits(cls, queries: tuple[str, ...]) -> tuple[str, ...]:
        for query in queries:
            if len(query) > GDELT_LONGEST:
                raise ValueError(f"{query[:40]!r}… has {len(query)} letters; GDELT refuses more than {GDELT_LONGEST}")
            if re.search(r"\bOR\b", re.sub(r"\([^()]*\)", "", query)):
                raise ValueError(f"{query[:60]!r}: GDELT takes OR only within (): (ads OR adverts) scam")
        return queries

    @field_validator("countries")
    @classmethod
    def _known(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(countries) - set(GDELT_COUNTRIES)):
            raise ValueError(f"{unknown[0]} is not known; there are: {', '.join(GDELT_COUNTRIES)}")
        return countries

    @field_validator("politeness", mode="before")
    @classmethod
    def _is_slow(cls, given: Any) -> Any:
        return {"delay_seconds": 6, **given} if isinstance(given, dict) else given

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the service."""
        return (self.url,)


class GoogleNewsSource(SearchSource):
    """Headlines by the RSS of Google News' search, in the edition of `market` and `lang`."""

    format: Literal["google_news"]
    url: Url = "https://news.google.com"
    """Address of the service."""
    trusts_search: ClassVar[bool] = True

    @model_validator(mode="after")
    def _has_edition(self) -> Self:
        if not self.market or not self.lang:
            raise ValueError("market and lang name the edition that is asked (market: SG, lang: en)")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the service."""
        return (self.url,)


class MastodonSource(BaseSource):
    """Public posts under tags, as one Mastodon server sees them."""

    format: Literal["mastodon"]
    url: Url
    """Address of the server."""
    tags: tuple[Tag, ...] = ()
    """Tags, without #; left out: the words of the watch lists."""
    most_queries: int = Field(default=80, ge=1, le=1000)
    """Watch lists may not become more tags than so many."""
    bots: bool = False
    """Whether posts of accounts that call themselves bots are taken."""
    asks: ClassVar[str] = "tags"

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        return _either(self, "tags", "watch")

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the server."""
        return (self.url,)


class DiscourseSource(BaseSource):
    """The newest posts of a Discourse forum."""

    format: Literal["discourse"]
    url: Url
    """Address of the forum."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the forum."""
        return (self.url,)


class JsonFeedSource(BaseSource):
    """JSON Feed 1.0 or 1.1."""

    format: Literal["jsonfeed"]
    urls: tuple[Url, ...] = Field(min_length=1)
    """Addresses of the feeds."""
    pages: int = Field(default=10, ge=1, le=1000)
    """Pages of one feed that are read at most (``next_url``)."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the feeds."""
        return self.urls


class Paths(Section):
    """Where a JSON item says what: JMESPath expressions (https://jmespath.org); a list is written line by line."""

    text: Path_ = "text"
    """The text itself."""
    title: Path_ = ""
    """A heading."""
    id: Path_ = "id"
    """The item's own id."""
    url: Path_ = ""
    """Its address; see also link."""
    published_at: Path_ = ""
    """When it was published."""
    updated_at: Path_ = ""
    """When it was last changed."""
    author: Path_ = ""
    """Who wrote it; only a salted hash is kept."""
    lang: Path_ = ""
    """Language."""
    market: Path_ = ""
    """Country code."""
    reach: Path_ = ""
    """How many people it reached."""
    rating: Path_ = ""
    """Stars or another score."""
    thread: Path_ = ""
    """Conversation it belongs to."""


class Paging(Section):
    """How further pages are asked for."""

    by: Literal["none", "page", "offset", "cursor"] = "none"
    """page counts pages, offset items; cursor is taken from each answer."""
    parameter: str = Field(default="page", pattern=r"^[\w.\[\]$-]{1,60}$")
    """Name of the parameter in the address."""
    first: int = Field(default=1, ge=0)
    """Number of the first page or item."""
    size: int = Field(default=100, ge=1, le=100_000)
    """Items of a full page; a shorter one is the last, and offset counts by it."""
    next: Path_ = ""
    """JMESPath of the cursor, or of the next page's whole address."""
    total: Path_ = ""
    """JMESPath of how many items there are in all, where the answer says so: fewer than that are remarked."""
    pages: int = Field(default=20, ge=1, le=10_000)
    """Pages read at most in one visit."""

    @model_validator(mode="after")
    def _has_cursor(self) -> Self:
        if self.by == "cursor" and not self.next:
            raise ValueError("by: cursor needs next, where the answer says what to ask for next")
        return self


class JsonSource(BaseSource):
    """Any JSON: a list of items somewhere in it, mapped to fields. Regulators' lists, WordPress, a team's own API."""

    format: Literal["json"]
    urls: tuple[Url, ...] = Field(min_length=1)
    """Addresses that answer in JSON."""
    items: Path_ = "@"
    """JMESPath of the list; by default the answer itself."""
    fields: Paths = Paths()
    link: str = Field(default="", max_length=500)
    """Address of an item made from its fields: https://x.example/list?id={id}."""
    html: bool = False
    """Whether texts and titles are HTML."""
    between: tuple[str, str] | None = None
    """What stands before and after the JSON, where it lies in a page's script."""
    by_address: bool = False
    """Whether an item's address tells it from others better than its id."""
    keep: dict[str, Path_] = Field(default_factory=dict)
    """Further fields that travel with the evidence, by name."""
    paging: Paging = Paging()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return what is asked."""
        return self.urls


class GooglePlaySource(BaseSource):
    """Reviews in Google's Play Store, newest first."""

    format: Literal["google_play"]
    url: Url = "https://play.google.com"
    """Address of the service."""
    apps: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z]\w*(\.\w+)+$")]] = Field(min_length=1)
    """Name of each app and its package (com.example.app)."""
    markets: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = Field(min_length=1)
    """Countries whose store is asked."""
    langs: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")], ...] = ("en",)
    """Languages of the reviews; the store gives those of one language at a time."""
    pages: int = Field(default=5, ge=1, le=100)
    """Pages of 100 reviews read at most for an app, a country and a language."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the service."""
        return (self.url,)


class SiteSource(BaseSource):
    """A site that is looked at once, for what it offers to crawlers; nothing of it is stored."""

    format: Literal["site"]
    url: Url
    """Address of a page, feed or sitemap."""
    search: bool = True
    """Whether the places are tried where sites keep feeds by custom."""
    most_requests: int = Field(default=45, ge=1, le=200)
    """Requests at most."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the page."""
        return (self.url,)


class YoutubeSource(BaseSource):
    """Comments on YouTube videos and channels by its Data API; needs a key."""

    format: Literal["youtube"]
    url: Url = "https://www.googleapis.com"
    """Address of the service."""
    channels: tuple[Annotated[str, Field(pattern=r"^UC[\w-]{22}$")], ...] = ()
    """Channels whose comments are read, by id (UC…)."""
    videos: tuple[Annotated[str, Field(pattern=r"^[\w-]{11}$")], ...] = ()
    """Videos whose comments are read, by id."""
    key_env: str = "GROUNDSWELL_YOUTUBE_KEY"
    """Environment variable with the key."""
    pages: int = Field(default=20, ge=1, le=1000)
    """Pages of 100 comments read at most for one of them; each costs one unit of the day's quota of 10,000."""

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        return _either(self, "channels", "videos")

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the service."""
        return (self.url,)


class AppstoreSource(BaseSource):
    """Reviews in Apple's app store."""

    format: Literal["appstore"]
    url: Url = "https://itunes.apple.com"
    """Address of the service."""
    apps: dict[str, int] = Field(min_length=1)
    """Name of each app and its number in the store."""
    markets: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = Field(min_length=1)
    """Countries whose reviews are read."""
    pages: int = Field(default=10, ge=1, le=10)
    """Pages of 50 reviews; the store gives ten at most."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the service."""
        return (self.url,)


class Columns(Section):
    """Which column of a file means what; a dot goes into nested JSON (``user.lang``)."""

    text: str = "text"
    """The text itself."""
    title: str = ""
    """A heading."""
    id: str = ""
    """The file's own id of a row."""
    published_at: str = ""
    """When it was published."""
    time: str = ""
    """Its time of day, where that stands in a column of its own."""
    author: str = ""
    """Who wrote it; only a salted hash is kept."""
    rating: str = ""
    """Stars or another score."""
    lang: str = ""
    """Language."""
    market: str = ""
    """Country code."""
    url: str = ""
    """Address."""
    reach: str = ""
    """How many people it reached (likes, votes, views)."""
    thread: str = ""
    """Conversation it belongs to."""


class FileSource(BaseSource):
    """Rows of CSV, workbooks, JSON or Parquet that a team already has."""

    format: Literal["file"]
    paths: tuple[str, ...] = Field(min_length=1)
    """Files; ``*`` matches any name. Relative to the YAML file."""
    type: Literal["auto", "csv", "xlsx", "json", "jsonl", "parquet"] = "auto"
    """What the files are; by default told from their names. xlsx stands for xls, xlsm, xlsb and ods too, json for an
    array of objects, objects one after another, or the one list in an object."""
    sheet: str = ""
    """Sheet of a workbook; by default the first that has the columns."""
    columns: Columns = Columns()
    constants: dict[Literal["title", "lang", "market", "thread", "published_at"], str] = Field(default_factory=dict)
    """Values for every row that has none of its own."""
    date_format: str = ""
    """strptime format of published_at (``%d/%m/%Y``), where the column leaves open whether day or month comes first."""
    delimiter: str = Field(default="", pattern=r"^(.|\t|)$")
    """What separates the columns of a CSV file; by default found: comma, semicolon, tab or bar."""
    encoding: str = "utf-8-sig"
    """Encoding of CSV and JSON, by any name that the web has for it (windows-874, gb2312); a byte order mark wins."""
    html: bool = False
    """Whether the texts are HTML."""
    keep: tuple[str, ...] | None = None
    """Other columns that travel with the evidence; by default all but those that sound like people's names."""
    max_items: int = Field(default=10_000_000, ge=1)
    """Rows that one visit takes at most."""

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, value: str) -> str:
        import webencodings

        try:
            if webencodings.lookup(value) is None:
                "".encode(value)
        except LookupError:
            raise ValueError(f"there is no encoding {value!r}; usual are utf-8, utf-16, gb18030, cp1252") from None
        return value

    @model_validator(mode="after")
    def _has_text(self) -> Self:
        if not self.columns.text:
            raise ValueError("columns.text must name the column that holds the text")
        return self


Source = (
    FeedSource
    | SitemapSource
    | JsonFeedSource
    | JsonSource
    | HackernewsSource
    | BlueskySource
    | LemmySource
    | MastodonSource
    | DiscourseSource
    | StackexchangeSource
    | GdeltSource
    | GoogleNewsSource
    | AppstoreSource
    | GooglePlaySource
    | YoutubeSource
    | SiteSource
    | FileSource
)
FORMATS: dict[str, type[Source]] = {
    "feed": FeedSource,
    "sitemap": SitemapSource,
    "jsonfeed": JsonFeedSource,
    "json": JsonSource,
    "hackernews": HackernewsSource,
    "bluesky": BlueskySource,
    "lemmy": LemmySource,
    "mastodon": MastodonSource,
    "discourse": DiscourseSource,
    "stackexchange": StackexchangeSource,
    "gdelt": GdeltSource,
    "google_news": GoogleNewsSource,
    "appstore": AppstoreSource,
    "google_play": GooglePlaySource,
    "youtube": YoutubeSource,
    "file": FileSource,
}


LOOKED_AT: dict[str, type[Source]] = {"site": SiteSource}
"""What is visited by a command only, and is no source of anybody's."""


def _either(source: B, one: str, other: str) -> B:
    if not getattr(source, one) and not getattr(source, other):
        raise ValueError(f"there is nothing to ask for; give {one} or {other}")
    return source


def read_source(path: Path) -> Source:
    """Read one source.

    Raises:
        ConfigError: it cannot be used; with file and line, and the nearest valid key.
    """
    document = read_yaml(path)
    if not isinstance(document.data, dict):
        raise ConfigError(f"{path}:1: expected 'format: feed' and other settings of a source")
    data = _named(document.data, path)
    model = _model_of(document)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(explain(error, model, document)) from None


def source_of(data: dict[str, Any]) -> Source:
    """Return a source from its own dump, as it travels to the crawling process."""
    return (FORMATS | LOOKED_AT)[data["format"]].model_validate(data)


def source_files(settings: CrawlSettings) -> list[Path]:
    """Return the source files that the settings name, sorted, and after them those that come with Groundswell."""
    places = [*settings.sources, *([SHIPPED] if settings.shipped else [])]
    files = [path for place in places for path in (sorted(place.glob("*.y*ml")) if place.is_dir() else [place])]
    return list(dict.fromkeys(files))


def find_sources(settings: CrawlSettings) -> tuple[list[Source], dict[Path, str]]:
    """Return the sources, and for each file that cannot be used what is wrong with it.

    A source of the user's takes the place of a shipped one of that name. One that `crawl.skip` names is there, but
    not enabled.

    Raises:
        ConfigError: `crawl.skip` names a source that does not exist; with the nearest.
    """
    sources: dict[str, Source] = {}
    problems: dict[Path, str] = {}
    files: dict[str, Path] = {}
    for path in source_files(settings):
        if path.parent == SHIPPED and _replaced(path, sources, problems):
            continue
        try:
            source = read_source(path)
        except ConfigError as error:
            problems[path] = str(error)
            continue
        if source.name in sources:
            problems[path] = f"{path}: another file already describes a source called {source.name!r}; rename one"
        else:
            sources[source.name], files[source.name] = source, path
    sources |= _watching(settings, sources, files, problems)
    for name in [source.name for source in sources.values() if files[source.name] in problems]:
        del sources[name]
    _skip(settings.skip, sources, problems)
    return list(sources.values()), problems


def _watching(
    settings: CrawlSettings, sources: Mapping[str, Source], files: Mapping[str, Path], problems: dict[Path, str]
) -> dict[str, Source]:
    """Return the sources that watch, with what they ask for; what is wrong with one is noted as its file's problem."""
    watching = {name: source for name, source in sources.items() if source.watch}
    if not watching:
        return {}
    try:
        lists = read_watch(settings.watch)
    except ConfigError as error:
        problems |= {
            files[name]: f"{files[name]}: it watches, but a watch list cannot be used: {error}" for name in watching
        }
        return {}
    asking: dict[str, Source] = {}
    for name, source in watching.items():
        try:
            asking[name] = with_watch(source, lists)
        except ConfigError as error:
            problems[files[name]] = f"{files[name]}: {error}"
    return asking


def with_watch(source: Source, lists: Mapping[str, WatchList]) -> Source:
    """Return a source that watches with what it shall ask for.

    Raises:
        ConfigError: there is no such watch list, or its words make too many searches, or none.
    """
    conditions = pick(lists, source.watch)
    if not source.asks or getattr(source, source.asks):
        return source
    service: Any = source.format
    asked = queries(conditions, service, lang=source.lang)
    most = getattr(source, "most_queries", 0)
    if not asked or len(asked) > most:
        many = (
            f"{len(asked)} searches, at most {most} (most_queries); watch for one rule of the list, {source.watch[0]}.…"
        )
        raise ConfigError(f"watch: {', '.join(source.watch)} makes {many if asked else f'no search of {service}'}")
    done = {"watch": ()} if source.trusts_search else {}
    return source.model_copy(update={source.asks: tuple(asked), **done})


def _replaced(path: Path, sources: Mapping[str, Source], problems: Mapping[Path, str]) -> bool:
    """Return whether the user describes a shipped source anew, be it with a mistake that is told."""
    return path.stem in sources or any(path.stem == other.stem for other in problems)


def _skip(names: Sequence[str], sources: dict[str, Source], problems: Mapping[Path, str]) -> None:
    for name in names:
        if name in sources:
            sources[name] = sources[name].model_copy(update={"enabled": False})
        elif name not in {path.stem for path in problems}:
            raise ConfigError(f"crawl.skip: there is no source {name!r}{nearest(name, sorted(sources))}")


def choose(sources: Sequence[Source], only: Sequence[str]) -> list[Source]:
    """Return the sources asked for by name (even if not enabled), or all that are enabled.

    Raises:
        ConfigError: there is no source of that name; with the nearest.
    """
    names = {source.name: source for source in sources}
    for name in only:
        if name not in names:
            raise ConfigError(f"there is no source {name!r}{nearest(name, sorted(names))}")
    return [names[name] for name in dict.fromkeys(only)] if only else [each for each in sources if each.enabled]


def host_of(source: Source) -> str:
    """Return the host a source is fetched from, so that two sources of one host take turns; empty for files."""
    return next((urlsplit(url).hostname or "" for url in source.addresses), "")


def _model_of(document: LinedYaml) -> type[Source]:
    name = str(document.data.get("format", ""))
    if name not in FORMATS | LOOKED_AT:
        what = f"there is no format {name!r}{nearest(name, sorted(FORMATS))}" if name else "format is missing"
        raise ConfigError(f"{document.where(('format',))}: {what}; one of {', '.join(sorted(FORMATS))}")
    return (FORMATS | LOOKED_AT)[name]


def _named(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """Fill in the name from the file, and make the paths of files mean the same from any folder."""
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-")[:60]
    given = {"name": name} | {key: value for key, value in data.items() if value is not None}
    if isinstance(paths := given.get("paths"), list):
        given["paths"] = [str(path.parent / Path(str(each)).expanduser()) for each in paths]
    return given


__all__ = [
    "FORMATS",
    "AppstoreSource",
    "BaseSource",
    "BlueskySource",
    "Columns",
    "DiscourseSource",
    "FeedSource",
    "FileSource",
    "Floor",
    "GdeltSource",
    "GoogleNewsSource",
    "GooglePlaySource",
    "HackernewsSource",
    "JsonFeedSource",
    "JsonSource",
    "LemmySource",
    "MastodonSource",
    "Paging",
    "Paths",
    "Politeness",
    "SearchSource",
    "SiteSource",
    "SitemapSource",
    "Source",
    "StackexchangeSource",
    "YoutubeSource",
    "choose",
    "find_sources",
    "host_of",
    "read_source",
    "source_files",
    "source_of",
    "with_watch",
]
