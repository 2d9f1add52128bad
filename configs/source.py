"""What a source is: one YAML file each, checked before anything is fetched."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from groundswell.configs.schema import CrawlSettings, Section
from groundswell.configs.yaml_lines import ConfigError, LinedYaml, explain, nearest, read_yaml

Kind = Literal["news", "post", "review", "comment", "regulator"]
"""As in `groundswell.index.records`, which configs may not import; a test holds the two together."""
SHIPPED = Path(__file__).parent / "sources"
"""Where the sources that come with Groundswell are."""
Market = Annotated[str, Field(pattern=r"^([A-Z]{2}|)$")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$", max_length=2000)]
Tag = Annotated[str, Field(pattern=r"^\w{1,100}$")]


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
    licence: str = ""
    """Licence or terms under which the texts may be read."""
    note: str = ""
    """What whoever runs this should know."""
    enabled: bool = True
    """Whether it is crawled."""
    backfill_days: float = Field(default=7, gt=0, le=36500)
    """How far back the first visit looks."""
    max_items: int = Field(default=2000, ge=1)
    """Items that one visit takes at most; the rest comes with the next visit."""
    min_chars: int = Field(default=1, ge=1)
    """A shorter text is refused."""
    floor: Floor = Floor()
    politeness: Politeness = Politeness()

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


class HackernewsSource(BaseSource):
    """Hacker News by the Algolia search API."""

    format: Literal["hackernews"]
    url: Url = "https://hn.algolia.com"
    """Address of the service."""
    queries: tuple[str, ...] = Field(min_length=1)
    """What is searched for."""
    tags: tuple[Literal["story", "comment"], ...] = ("story", "comment")
    """Which posts."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the service."""
        return (self.url,)


class MastodonSource(BaseSource):
    """Public posts under tags, as one Mastodon server sees them."""

    format: Literal["mastodon"]
    url: Url
    """Address of the server."""
    tags: tuple[Tag, ...] = Field(min_length=1)
    """Tags, without #."""
    bots: bool = False
    """Whether posts of accounts that call themselves bots are taken."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the server."""
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
    """Rows of CSV, JSON Lines or Parquet that a team already has."""

    format: Literal["file"]
    paths: tuple[str, ...] = Field(min_length=1)
    """Files; ``*`` matches any name. Relative to the YAML file."""
    type: Literal["auto", "csv", "jsonl", "parquet"] = "auto"
    """What the files are; by default told from their names."""
    columns: Columns = Columns()
    constants: dict[Literal["title", "lang", "market", "thread", "published_at"], str] = Field(default_factory=dict)
    """Values for every row that has none of its own."""
    timezone: str = "UTC"
    """IANA time zone of times that name none."""
    date_format: str = ""
    """strptime format of published_at, where it is not ISO 8601, RFC 2822 or seconds since 1970."""
    delimiter: str = Field(default=",", pattern=r"^(.|\t)$")
    """What separates the columns of a CSV file."""
    encoding: str = "utf-8-sig"
    """Encoding of CSV and JSON Lines."""
    html: bool = False
    """Whether the texts are HTML."""
    keep: tuple[str, ...] | None = None
    """Other columns that travel with the evidence; by default all but those that sound like people's names."""
    max_items: int = Field(default=10_000_000, ge=1)
    """Rows that one visit takes at most."""

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if value not in zoneinfo.available_timezones():
            raise ValueError(f"there is no time zone {value!r}{nearest(value, sorted(zoneinfo.available_timezones()))}")
        return value

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"there is no encoding {value!r}; usual are utf-8, utf-16, gb18030, cp1252") from None
        return value

    @model_validator(mode="after")
    def _has_text(self) -> Self:
        if not self.columns.text:
            raise ValueError("columns.text must name the column that holds the text")
        return self


Source = FeedSource | SitemapSource | HackernewsSource | MastodonSource | AppstoreSource | FileSource
FORMATS: dict[str, type[Source]] = {
    "feed": FeedSource,
    "sitemap": SitemapSource,
    "hackernews": HackernewsSource,
    "mastodon": MastodonSource,
    "appstore": AppstoreSource,
    "file": FileSource,
}


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
    return FORMATS[data["format"]].model_validate(data)


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
            sources[source.name] = source
    _skip(settings.skip, sources, problems)
    return list(sources.values()), problems


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
    if name not in FORMATS:
        what = f"there is no format {name!r}{nearest(name, sorted(FORMATS))}" if name else "format is missing"
        raise ConfigError(f"{document.where(('format',))}: {what}; one of {', '.join(sorted(FORMATS))}")
    return FORMATS[name]


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
    "Columns",
    "FeedSource",
    "FileSource",
    "Floor",
    "HackernewsSource",
    "MastodonSource",
    "Politeness",
    "SitemapSource",
    "Source",
    "choose",
    "find_sources",
    "host_of",
    "read_source",
    "source_files",
    "source_of",
]
