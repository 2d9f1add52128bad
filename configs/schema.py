"""Everything a user can set, with its unit, its bounds and its default. `groundswell init` writes it out, commented."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Severity = Literal["low", "medium", "high", "critical"]
"""As `groundswell.index.records.Severity`, which this room may not import."""


Role = Literal["viewer", "analyst", "owner", "admin"]
"""What somebody may do, each more than the one before: read; judge, label and open cases; decide about cases and
themes; change what judgements teach, and read the audit log."""
CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


def known_zone(name: str) -> str:
    """Return the name of a time zone; made for validators.

    Raises:
        ValueError: nobody knows it.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder, such as Asia
        raise ValueError(f"there is no time zone {name!r}; say it as in Asia/Singapore") from None
    return name


Zone = Annotated[str, AfterValidator(known_zone)]


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, so that a typing error is never silently a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def refuse_twice(ids: Sequence[str]) -> None:
    """Do nothing if no id stands twice; made for validators.

    Raises:
        ValueError: one does.
    """
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        msg = f"ids must differ; given twice: {', '.join(twice)}"
        raise ValueError(msg)


class SqliteSettings(Section):
    """The embedded store."""

    backend: Literal["sqlite"] = "sqlite"
    path: Path | None = None
    """Database file; by default groundswell.db in the data folder."""


class ElasticSettings(Section):
    """An Elasticsearch cluster (8.19 or 9.x). Secrets are named by environment variable, never written here."""

    backend: Literal["elastic"] = "elastic"
    url: str = "http://127.0.0.1:9200"
    """Address of one node or of a load balancer."""
    prefix: str = Field(default="groundswell", pattern=r"^[a-z][a-z0-9-]{0,40}$")
    """Every index and alias begins with it."""
    api_key_env: str = "GROUNDSWELL_ELASTIC_API_KEY"
    """Environment variable that holds an API key (base64)."""
    user_env: str = "GROUNDSWELL_ELASTIC_USER"
    """Environment variable that holds a user name, where no API key is used."""
    password_env: str = "GROUNDSWELL_ELASTIC_PASSWORD"  # noqa: S105  the name of a variable, not a secret
    """Environment variable that holds its password."""
    ca_certs: Path | None = None
    """Certificate authority file (PEM) for TLS."""
    fingerprint: str = ""
    """SHA-256 fingerprint of the server's certificate, instead of ca_certs."""
    shards: int = Field(default=1, ge=1, le=64)
    """Primary shards of each monthly index."""
    replicas: int = Field(default=0, ge=0, le=5)
    """Copies of each shard."""
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    """How long one request may take."""

    @property
    def place(self) -> str:
        """Return the address as it may be shown: without the user name and password that somebody wrote into it."""
        scheme, mark, rest = self.url.partition("//")
        return f"{scheme}{mark}{rest.rpartition('@')[2]}"


class CrawlSettings(Section):
    """How the crawler behaves towards others."""

    sources: tuple[Path, ...] = ()
    """Folders or files of source YAML of your own, beside those that come with Groundswell; one of the same name
    replaces what ships."""
    shipped: bool = True
    """Whether the sources that come with Groundswell are visited too."""
    skip: tuple[str, ...] = ()
    """Names of sources that are left out unless they are asked for by name."""
    watch: tuple[Path, ...] = ()
    """Folders or files of watch lists (brands, people, topics and rules over them) beside those that come with
    Groundswell; a source opts in with `watch: [name]`."""
    user_agent: str = "Groundswell/0.1 (+media monitoring; set crawl.contact)"
    """How the crawler names itself."""
    contact: str = ""
    """A mail address or page where a site's owner reaches you; sent along."""
    obey_robots: bool = True
    """Whether robots.txt is obeyed."""
    delay_seconds: float = Field(default=1.0, ge=0, le=600)
    """Pause between two requests to one host."""
    concurrent_per_host: int = Field(default=1, ge=1, le=16)
    """Requests at a time to one host."""
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    """How long a page may take."""
    max_page_bytes: int = Field(default=5_000_000, ge=1_000)
    """A longer answer is refused."""
    max_text_chars: int = Field(default=20_000, ge=100)
    """A longer text is cut, and says so."""
    allow_private_addresses: bool = False
    """Whether addresses of your own network may be crawled (the demo's replica web is on loopback)."""
    mask_personal_data: bool = True
    """Whether phones, mail addresses, cards and identity numbers in texts are masked before they are kept, for whatever
    is crawled or imported."""
    author_salt_env: str = "GROUNDSWELL_AUTHOR_SALT"
    """Environment variable with the salt for author hashes; else one is made once and kept in the data folder."""


class ModelSettings(Section):
    """Which encoder and heads read the texts."""

    name: str = "groundswell-small"
    """A model that ships with Groundswell, a folder, or a hub name such as intfloat/multilingual-e5-base."""
    runtime: Literal["onnx", "torch"] = "onnx"
    """What runs it."""
    threads: int = Field(default=0, ge=0, le=256)
    """Batches read side by side; 0 means one for each core."""
    batch_tokens: int = Field(default=512, ge=64, le=65536)
    """Tokens in one batch, after sorting by length; what a batch needs should fit into a core's cache."""
    max_tokens: int = Field(default=256, ge=16, le=512)
    """A longer text is cut after so many tokens."""
    unsure_below: float = Field(default=0.5, ge=0, le=1)
    """A sentiment whose calibrated probability is lower is called unsure."""
    learned: Path | None = None
    """Heads learnt from your labels; by default those that `groundswell train --accept` put into the data folder."""


class ThemeSettings(Section):
    """When texts are one theme."""

    join_similarity: float | None = Field(default=None, ge=0, le=1)
    """Similarity to a theme that makes a document belong to it; by default the value frozen on development streams."""
    smallest: int = Field(default=5, ge=2, le=1000)
    """Documents a new theme needs."""
    fewest_authors: int = Field(default=2, ge=1, le=1000)
    """Different authors a new theme needs, where authors are known."""
    fade_days: int = Field(default=30, ge=1, le=3650)
    """A theme without a document for so long has faded."""
    pool_days: int = Field(default=14, ge=1, le=365)
    """How long a document that fits nowhere waits for company."""
    duplicate_similarity: float = Field(default=0.8, gt=0, le=1)
    """Estimated Jaccard similarity of word shingles that makes two texts copies."""
    duplicate_days: int = Field(default=35, ge=1, le=365)
    """How far back copies are looked for."""
    complaints: Path | None = None
    """File of common complaints of your own, which titles of themes say beside those that come with Groundswell."""


class QuietHours(Section):
    """When nobody is to be woken."""

    start: Annotated[str, Field(pattern=CLOCK)] = "22:00"
    """From, local time."""
    end: Annotated[str, Field(pattern=CLOCK)] = "07:00"
    """Until, local time."""
    timezone: Zone = "Asia/Singapore"
    """IANA time zone of the reader."""
    override: Literal["low", "medium", "high", "critical", "never"] = "critical"
    """From this severity on it comes through all the same."""


class SignalSettings(Section):
    """When a departure from the past deserves a person's time."""

    false_alerts_a_week: float = Field(default=1.0, gt=0, le=100)
    """The budget: how many false alerts a week an analyst bears; thresholds follow from it."""
    fewest_documents: int = Field(default=4, ge=1, le=1000)
    """Documents (copies counted once) an alert needs."""
    fewest_authors: int = Field(default=3, ge=1, le=1000)
    """Different authors an alert needs, where authors are known."""
    cooldown_hours: float = Field(default=168, ge=0, le=8760)
    """The same theme alerts again only after so long, or when it is clearly stronger."""
    warm_up_days: int = Field(default=5, ge=1, le=90)
    """No alert before so many days of history."""
    snooze_days: int = Field(default=7, ge=1, le=90)
    """How long the snooze button silences a theme."""
    topics: Path | None = None
    """File of standing topics of your own, counted beside those that come with Groundswell."""
    markets: tuple[str, ...] = ("SG", "MY", "ID", "TH", "VN", "PH", "AU", "NZ")
    """Markets in the order the board shows them."""
    quiet_hours: QuietHours | None = None
    """Left out: alerts are sent at any hour."""


class Receiver(Section):
    """Somebody, or something, that is told of alerts at once."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
    """Short name; the log of deliveries knows it by this."""
    kind: Literal["mail", "webhook", "slack", "teams"] = "mail"
    """How it is told."""
    address: str = ""
    """Mail address, of kind mail: mei@example.org or Mei Tan <mei@example.org>."""
    url: str = Field(default="", pattern=r"^(https?://[^\s<>\"']+)?$")
    """Where a webhook listens; Slack's and Teams's addresses are secrets and stand in url_env."""
    url_env: str = ""
    """Environment variable that holds the address instead."""
    secret_env: str = ""
    """Environment variable with the key that signs a webhook's messages (Standard Webhooks: whsec_… or any text)."""
    language: Literal["en", "zh", "id"] = "en"
    """Language in which it is told."""
    severity: Severity = "high"
    """From this severity on it is told."""
    markets: tuple[str, ...] = ()
    """Only alerts of these markets, or of none; left out: all."""
    risks: tuple[str, ...] = ()
    """Only alerts of these risks; left out: all."""
    sources: bool = False
    """Whether it is told of sources that fall silent, too."""
    quiet_hours: QuietHours | None = None
    """When it is not disturbed; what is held comes in one message at their end, and in the digest."""
    lead: str = ""
    """Receiver that is told if nobody has decided about an alert for so long as alerts.escalate_minutes says."""
    names: tuple[str, ...] = ()
    """Names under which this person owns alerts and cases on the board, beside the id."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.kind == "mail":
            if not self.address or self.url or self.url_env:
                raise ValueError("a receiver by mail has an address, and no url")
        elif self.address or bool(self.url) == bool(self.url_env):
            raise ValueError(f"a receiver of kind {self.kind} has either a url or a url_env")
        elif self.kind != "webhook" and self.url:
            raise ValueError(f"the address of {self.kind} is a secret: put it into a variable and name that in url_env")
        return self


class AlertSettings(Section):
    """Who is told of alerts at once, beside the daily mail. Mails go by the server of `digest`."""

    receivers: tuple[Receiver, ...] = ()
    """People and programs."""
    escalate_minutes: float = Field(default=120, ge=0, le=10080)
    """How long an alert may wait for a decision after somebody was told, before the lead is; 0: for ever."""
    attempts: int = Field(default=8, ge=1, le=100)
    """How often a delivery is tried: after 30 s, 2 min, 8 min, half an hour, then every two hours."""
    source_hours: float = Field(default=6, ge=0.1, le=720)
    """How long a source must have failed or been silent, at each visit, before it is told."""
    allow_private_addresses: bool = False
    """Whether webhooks may be in your own network."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        refuse_twice([one.id for one in self.receivers])
        ids = {one.id for one in self.receivers}
        for one in self.receivers:
            if one.lead and (one.lead not in ids or one.lead == one.id):
                raise ValueError(f"the lead of {one.id!r} must be another receiver, not {one.lead!r}")
        return self


class Person(Section):
    """Somebody who gets a digest of their own: only what concerns them, in their language, at their hour."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
    """Short name; the log of deliveries knows them by this. With the id of a receiver of alerts, what quiet hours held
    back from that one stands in the digest."""
    address: str
    """Mail address: mei@example.org or Mei Tan <mei@example.org>."""
    markets: tuple[str, ...] = ()
    """Only what at least a tenth of its documents say of these markets, and what names no market; left out: all."""
    risks: tuple[str, ...] = ()
    """Only alerts of these risks; left out: all."""
    brands: tuple[str, ...] = ()
    """Only alerts that name one of these in their title or in a tenth of their documents, under any name that a watch
    list knows for it; left out: all."""
    severity: Severity = "low"
    """From this severity on."""
    language: Literal["en", "zh", "id"] = "en"
    """English, Chinese or Indonesian; quotations stay as they were written."""
    timezone: Zone | None = None
    """Time zone of the hour and of the dates; left out: digest.timezone."""
    hour: Annotated[int, Field(ge=0, le=23)] | None = None
    """Hour of the day at which a digest ends and is due; left out: digest.hour."""
    frequency: Literal["daily", "weekly"] = "daily"
    """Once a day, or once a week."""
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    """The day of a weekly digest."""


class DigestSettings(Section):
    """The daily mail."""

    people: tuple[Person, ...] = ()
    """Who gets a digest made for them (docs/digest.md)."""
    recipients: tuple[str, ...] = ()
    """Mail addresses of those who get the digest of everything; each gets a message of their own."""
    sender: str = "groundswell@localhost"
    """From address."""
    smtp_host: str = ""
    """Mail server; empty means the digest is only written to a file."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    """Its port."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is secured."""
    smtp_user: str = ""
    """User name; empty means no login."""
    smtp_password_env: str = "GROUNDSWELL_SMTP_PASSWORD"  # noqa: S105  the name of a variable, not a secret
    """Environment variable with the password."""
    timezone: Zone = "Asia/Singapore"
    """Time zone of the dates in the mail."""
    hour: int = Field(default=8, ge=0, le=23)
    """Hour of the day, in that zone, at which the digest begins and ends."""
    board_url: str = Field(default="", pattern=r"^(https?://[^\s<>\"']+)?$")
    """Where readers reach the board, e.g. https://groundswell.example; by default the address the board listens on."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        refuse_twice([one.id for one in self.people])
        return self


class ReportSettings(Section):
    """A question in SQL, or the quality report, at set times: into a file, and by the digest's mail server."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
    """Short name; its files are called by it."""
    sql: str = Field(default="", max_length=20_000)
    """A statement (docs/sql.md), whose answer becomes a CSV file; empty means the quality report."""
    every: Literal["day", "week"] = "day"
    """A day, or a week from Monday on."""
    hour: int = Field(default=7, ge=0, le=23)
    """From which hour on it is due, in digest.timezone."""
    to: tuple[str, ...] = ()
    """Mail addresses; with none it is only written. Who is limited to markets in access.people gets these alone."""
    markets: tuple[Annotated[str, Field(pattern=r"^([A-Z]{2})?$")], ...] = ()
    """Only these markets ("": documents without one), whoever it goes to; left out: all."""


class LabellingSettings(Section):
    """How a team labels: the weekly calibration, and the test for whoever is new."""

    calibration: Literal["", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    """From this day of each week on (in digest.timezone) `run` and `watch` put the documents that people disagree on
    most before them again, to be voted on blind; empty means never by itself."""
    calibration_size: int = Field(default=20, ge=1, le=1000)
    """How many documents a calibration has at most."""
    calibration_people: int = Field(default=3, ge=2, le=100)
    """How many people vote on each."""
    onboarding: int = Field(default=0, ge=0, le=1000)
    """Gold tasks (`groundswell label draw gold`) that somebody new answers before any other; 0: there is no test."""
    pass_mark: float = Field(default=0.8, ge=0.0, le=1.0)
    """Share of the last so many gold tasks that must be right in every field that is known."""


class BoardSettings(Section):
    """The trend board."""

    host: str = "127.0.0.1"
    """Address it listens on."""
    port: int = Field(default=8501, ge=1, le=65535)
    """Port it listens on."""
    timezone: Zone = "Asia/Singapore"
    """Time zone of what it shows."""
    refresh_seconds: int = Field(default=60, ge=5, le=3600)
    """How often it looks again."""
    translations: dict[str, Path] = Field(default_factory=dict)
    """Folders of translation packages by language, {th: /models/translate-th_en}: unpacked packages of Argos Translate
    into English, run on this machine (`pip install 'groundswell[translate]'`). A document's page then shows what the
    machine makes of it, marked as a machine's. Nothing is fetched."""


class AccessSettings(Section):
    """Who may use the board and for what, by OpenID Connect. Left out, nobody signs in."""

    issuer: str = Field(default="", pattern=r"^(https?://[^\s<>\"']+)?$")
    """Your OpenID Connect provider, as its tokens call it (iss): https://id.example.org; empty: nobody signs in."""
    client_id: str = ""
    """What the provider calls this board; its redirect address there is the board's address with /oauth2callback."""
    client_secret_env: str = "GROUNDSWELL_OIDC_CLIENT_SECRET"  # noqa: S105  the name of a variable, not a secret
    """Environment variable with the secret that the provider gave to this board."""
    cookie_secret_env: str = "GROUNDSWELL_COOKIE_SECRET"  # noqa: S105  the name of a variable, not a secret
    """Environment variable with 32 or more random letters that sign cookies; without it, each start of the board signs
    with its own, and everybody signs in again."""
    name_claim: str = "email"
    """Claim that names a person, in the people file and in the audit log."""
    roles_claim: str = ""
    """Claim with groups or roles (a text or a list); what the people file's groups do not name is taken as a role."""
    markets_claim: str = ""
    """Claim with the markets (ISO codes) that a person is limited to; "*" stands for all. Who lacks it is refused."""
    people: Path | None = None
    """YAML file of people and groups, their role and markets; read again at each click."""
    others: Role | Literal[""] = ""
    """Role of whoever signs in and is named nowhere; empty: they are refused."""
    session_hours: float = Field(default=8, gt=0, le=720)
    """How long after signing in somebody has to sign in again."""
    sql: Role = "analyst"
    """Least role that may ask in SQL."""
    export: Role = "analyst"
    """Least role that may take something away as a file."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.issuer and not self.client_id:
            raise ValueError("access.issuer needs access.client_id: what the provider calls this board")
        return self


class RetentionSettings(Section):
    """How long documents are kept; cases keep their evidence. `groundswell watch` and `forget --expired` keep to it."""

    days: float = Field(default=0, ge=0, le=36500)
    """Days since a document was published (or fetched, where that is not known); 0 keeps it for ever."""
    markets: dict[str, float] = Field(default_factory=dict)
    """Days for documents of a market, by its ISO code: {SG: 365}."""


class WatchSettings(Section):
    """`groundswell watch`, which does everything by itself."""

    every_minutes: float = Field(default=15, ge=0.05, le=10080)
    """How often a source is visited that says nothing about it (`every_minutes` in its own file)."""
    within_hour_seconds: float = Field(default=30, ge=0, le=3600)
    """How often the hour that is not over is looked at for alerts while documents come; 0: only whole hours are."""
    export_minutes: float = Field(default=60, ge=0.05, le=10080)
    """How often the day files for SQL are brought up to date."""
    log: Literal["text", "json"] = "text"
    """Form of the log lines on standard error: for people, or one JSON object a line."""
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port of /metrics (Prometheus) and /health; 0 serves none."""
    metrics_host: str = "127.0.0.1"
    """Address that /metrics and /health listen on."""


class ScaleSettings(Section):
    """Machines that help this one, or share its store."""

    lease_seconds: float = Field(default=60, ge=1, le=3600)
    """How long a source and a host stay with a crawl that is not heard of any more, before another crawl on the same
    store may have them. Clocks of machines that share a store must agree within a tenth of it."""

    scheduler: str = ""
    """Address of a Dask scheduler (tcp://host:8786) whose workers read the texts; empty: this process reads them."""
    patience_seconds: float = Field(default=15, gt=0, le=3600)
    """How long the scheduler may not answer, or have no worker, before a stage stops with an error."""
    slow_seconds: float = Field(default=60, gt=0, le=3600)
    """How long no batch may come back before those that are out are given to other workers, too: one that hangs holds
    up nobody. Whichever is done first counts."""


class Settings(Section):
    """All of it."""

    data_dir: Path = Path(".groundswell")
    """Where everything that is kept is kept."""
    taxonomy: Path | None = None
    """Risk taxonomy; by default the one that comes with Groundswell."""
    rules: tuple[Path, ...] = ()
    """Rule files beside those that come with Groundswell."""
    policies: tuple[Path, ...] = ()
    """Files or folders with the clauses of your advertising policies; by default the short example."""
    store: Annotated[SqliteSettings | ElasticSettings, Field(discriminator="backend")] = SqliteSettings()
    crawl: CrawlSettings = CrawlSettings()
    model: ModelSettings = ModelSettings()
    themes: ThemeSettings = ThemeSettings()
    signals: SignalSettings = SignalSettings()
    alerts: AlertSettings = AlertSettings()
    digest: DigestSettings = DigestSettings()
    board: BoardSettings = BoardSettings()
    access: AccessSettings = AccessSettings()
    watch: WatchSettings = WatchSettings()
    scale: ScaleSettings = ScaleSettings()
    retention: RetentionSettings = RetentionSettings()
    labelling: LabellingSettings = LabellingSettings()
    reports: tuple[ReportSettings, ...] = ()
    """Questions in SQL and quality reports at set times: name, sql, every, hour, to."""

    @model_validator(mode="after")
    def _reports_differ(self) -> Self:
        names = [one.name for one in self.reports]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two reports are called {twice[0]!r}")
        return self


__all__ = [
    "AccessSettings",
    "AlertSettings",
    "BoardSettings",
    "CrawlSettings",
    "DigestSettings",
    "ElasticSettings",
    "ModelSettings",
    "Person",
    "QuietHours",
    "Receiver",
    "ReportSettings",
    "RetentionSettings",
    "Role",
    "ScaleSettings",
    "Section",
    "Settings",
    "SignalSettings",
    "SqliteSettings",
    "ThemeSettings",
    "WatchSettings",
]
