"""What the house keeps: the records that every stage makes or reads.

All are frozen, slotted dataclasses with an ``id``; times are aware UTC; nothing here knows how it is stored.
``RECORDS`` lists them all, and `groundswell.index.codec` turns each into JSON and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from groundswell.index.vector import AsText

Vector = Annotated[NDArray[np.float32], AsText]
"""A unit-length embedding, shape ``(dimensions,)``, float32."""

Kind = Literal["news", "post", "review", "comment", "regulator"]
DateConfidence = Literal["exact", "day", "inferred", "none"]
"""How far `Mention.published_at` can be trusted: stated to the second, stated as a day, guessed from the page, absent
or impossible. ``none`` never counts towards a spike."""
Label3 = Literal["negative", "neutral", "positive"]
SENTIMENTS: tuple[Label3, ...] = get_args(Label3)
"""In the order of the columns of probabilities."""
SentimentLabel = Literal["negative", "neutral", "positive", "unsure"]
Stance = Literal["claims", "denies", "warns", "asks", "resolved"]
"""How a text stands to a risk it speaks of; only claims and warnings count."""
TargetKind = Literal["platform", "ad_product", "advertiser", "creator", "regulator", "other"]
TargetRole = Literal["subject", "victim"]
SignalKind = Literal["surge", "sour", "new", "spread"]
Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the worst."""
ThemeState = Literal["living", "faded", "merged"]
ThemeFeeling = Literal["", "praise", "displeasure"]
SearchLanguage = Literal["search", "sql"]
LineageKind = Literal["born", "split", "merged", "faded", "revived", "renamed"]
CaseStatus = Literal["open", "investigating", "escalated", "closed"]
DeliveryStatus = Literal["due", "held", "sending", "sent", "failed", "dead"]
Queue = Literal["audit", "uncertain", "disagreement", "drift", "calibration", "gold"]
"""Why a document is to be labelled."""
Deed = Literal["confirmed", "dismissed", "snoozed", "woken", "case", "assigned", "reopened", "merged", "parted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One public text as it was found, cleaned only of markup.

    `id` is `groundswell.index.ids.mention_id`: a hash of the canonical address, or of source and the source's own id.
    `author_key` is a salted hash, never a name. `extra` holds fields of the source that no one asked for; they travel
    with the evidence. `market` is an ISO 3166 country code, `lang` a hint from the source (BCP 47), both upper/lower
    case as their standards say.
    """

    id: str
    source: str
    kind: Kind
    text: str
    fetched_at: datetime
    published_at: datetime | None = None
    date_confidence: DateConfidence = "none"
    title: str = ""
    url: str = ""
    canonical_url: str = ""
    author_key: str = ""
    lang: str = ""
    market: str = ""
    reach: int | None = None
    thread: str = ""
    rating: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """Calibrated probabilities of three feelings, summing to 1; ``unsure`` where none is confident enough."""

    label: SentimentLabel
    negative: float
    neutral: float
    positive: float

    @property
    def mood(self) -> float:
        """Return positive minus negative, from -1 to 1."""
        return self.positive - self.negative


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom a feeling is about: what kind of party, by `name` where a watch list knows it, and its `role`.

    ``victim``: somebody misused its name or face, so it is nobody to complain of.
    """

    who: TargetKind
    label: SentimentLabel
    name: str = ""
    role: TargetRole = "subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enriched:
    """What was understood of a mention; `id` is the mention's.

    `risks` maps a taxonomy id to its calibrated probability; claimed at .5. `stances` says how the text stands to each
    risk it speaks of: what it denies, asks about or calls solved is kept here and not claimed. `duplicate_of` is the
    id of the first mention of its near-duplicate cluster, its own id where it is the first. `unread` are the characters
    of its cleaned text that the model did not read, as it was too long. `made_by` names model and version.
    """

    id: str
    lang: str
    sentiment: Sentiment
    made_by: str
    lang_confidence: float = 0.0
    targets: tuple[Target, ...] = ()
    risks: Mapping[str, float] = field(default_factory=dict)
    stances: Mapping[str, Stance] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    duplicate_of: str = ""
    unread: int = 0
    vector: Vector | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Which theme a mention belongs to; `id` is the mention's, `theme` empty while it waits in the pool."""

    id: str
    theme: str
    confidence: float = 0.0
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A mention with all that is known of it: what `Reader.search` gives back."""

    mention: Mention
    enriched: Enriched | None = None
    membership: Membership | None = None

    @property
    def id(self) -> str:
        """Return the mention's id."""
        return self.mention.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A subject people return to. Its `id` never changes meaning; label, keywords and centroid may.

    `titles` maps a language to a readable title. `risk` is the taxonomy id most of its documents carry, or empty;
    `feeling` is set where they hold nothing but praise, or nothing but displeasure.
    """

    id: str
    label: str
    first_seen: datetime
    last_seen: datetime
    keywords: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    exemplars: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    state: ThemeState = "living"
    size: int = 0
    risk: str = ""
    feeling: ThemeFeeling = ""
    centroid: Vector | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Something that happened to a theme: born, split, merged, faded, revived, renamed."""

    id: str
    theme: str
    what: LineageKind
    at: datetime
    others: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A theme that departs from its own past. An alert is a signal that passed the policy (`fired`).

    `observed` and `expected` are counts (or mean moods, for ``sour``) in the window ``[start, end)``; `strength` is
    in the detector's own units, comparable across themes; `held_by` says which rule of the policy kept it from firing.

    Attributes:
        subject: the detector's name of what it is about; of two signals with one name one may go on with the other.
        standing: whether it is about a standing topic, whose documents share words and perhaps nothing else.
        statistic: −log10 of the tail of its clearest test, before ranking; 0 where there was none.
        terms: words that set its documents apart, clearest first.
        authors: how many different ones are known, or nothing where sources do not say.
        growth: observed against expected, halves added.
        explained: what else accounts for it ("crawl gap: …"), or empty.
        nearest_case: id of the earlier case that comes closest, or empty.
        untaught: its strength before judgements moved it, or nothing where none did.
        tell_at: when a person is to be told of it (quiet hours), of an alert.
        alert_chance: probability that it becomes an alert within three days, of a candidate that may grow into one.
    """

    id: str
    theme: str
    kind: SignalKind
    at: datetime
    start: datetime
    end: datetime
    observed: float
    expected: float
    strength: float
    severity: Severity
    evidence: tuple[str, ...]
    why: str
    title: str = ""
    market: str = ""
    source_kind: str = ""
    risk: str = ""
    fired: bool = False
    held_by: str = ""
    follows: str = ""
    subject: str = ""
    standing: bool = False
    statistic: float = 0.0
    terms: tuple[str, ...] = ()
    authors: int | None = None
    growth: float = 1.0
    explained: str = ""
    nearest_case: str = ""
    untaught: float | None = None
    tell_at: datetime | None = None
    alert_chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A line in a case's history."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a person does about signals, until it is closed. `version` counts edits, for optimistic concurrency."""

    id: str
    title: str
    opened_at: datetime
    status: CaseStatus = "open"
    severity: Severity = "medium"
    signals: tuple[str, ...] = ()
    owner: str = ""
    due: datetime | None = None
    policy_area: str = ""
    cause: str = ""
    decision: str = ""
    evidence: tuple[Mapping[str, Any], ...] = ()
    history: tuple[Note, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A judgement of a mention, signal or rule hit; `field` says which aspect (``disposition``, a risk …).

    Attributes:
        value: ``negative``, ``yes``, ``confirmed`` …; of the field ``risks`` all ids with spaces between, or ``none``.
        annotator: a person's name, or ``llm:NAME`` and ``model:NAME`` for a machine that labels.
        round: 1 for the first, 2 for a second one without a sight of the first, 3 for a ruling.
        team: whom the annotator works for.
        queue: why it was asked for: ``audit``, ``uncertain`` …, empty where nobody asked.
        sample: the random draw (`Sample`) that it belongs to, and in which `stratum` the document stood.
        predicted: what the model said of this field when the document was drawn, by `made_by`.
        expected: what a gold task knows to be right.
        lang: the document's language, and its `market`, as they were then.
        seconds: how long it took.
        note: why; of a ruling, what others shall learn from it.
    """

    id: str
    subject: str
    field: str
    value: str
    annotator: str
    at: datetime
    round: int = 1
    team: str = ""
    queue: str = ""
    sample: str = ""
    stratum: str = ""
    predicted: str = ""
    made_by: str = ""
    expected: str = ""
    lang: str = ""
    market: str = ""
    seconds: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A document that waits for labels; when it has enough of them it is gone, and the labels say all there is.

    Attributes:
        subject: the mention's id.
        queue: why it is asked for.
        wanted: how many people are to label it without a sight of each other; `given` names those who have.
        priority: within a queue, the largest first.
        predicted: field → what the model says, `made_by` which; nobody who labels sees it.
        expected: field → what is known to be right, of a gold task.
    """

    id: str
    subject: str
    queue: Queue
    at: datetime
    wanted: int = 1
    given: tuple[str, ...] = ()
    priority: float = 0.0
    sample: str = ""
    stratum: str = ""
    predicted: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, str] = field(default_factory=dict)
    made_by: str = ""
    lang: str = ""
    market: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A stratified random draw of documents: what a figure about all of them may be estimated from.

    Attributes:
        since: documents were drawn from those published in ``[since, until)``, copies counted once.
        drawn: stratum → how many were drawn from it at random.
        population: stratum → how many there are by what the model said: "" all of them, a risk's id, "sentiment:…".
    """

    id: str
    at: datetime
    by: str
    since: datetime
    until: datetime
    made_by: str = ""
    drawn: Mapping[str, int] = field(default_factory=dict)
    population: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderation:
    """What a moderator of the platform decided about an ad or post, as the moderation system tells it.

    Attributes:
        item: the ad or post, by the moderation system's own id.
        decision: ``approved`` or ``rejected``.
        appeal: what became of an appeal: ``overturned`` (the decision was wrong), ``kept``, ``open``, or "" for none.
        seconds: how long the reviewer took.
    """

    id: str
    item: str
    decision: Literal["approved", "rejected"]
    at: datetime
    reviewer: str = ""
    seconds: float | None = None
    appeal: Literal["overturned", "kept", "open", ""] = ""
    market: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """A theme that nobody wants to hear of from `at` until `until`; `id` is the theme's."""

    id: str
    at: datetime
    until: datetime
    by: str = ""
    reason: str = ""

    def holds(self, moment: datetime) -> bool:
        """Return whether the theme is silent at a moment."""
        return self.at <= moment < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody did about an alert; nothing is ever changed or forgotten, the newest counts.

    Attributes:
        alert: the first alert of the episode.
        what: what was done; ``reopened`` takes back what was decided before it.
        reason: why, in their words; a dismissal and a snooze have one.
        until: when a snooze ends.
        to: whom it was assigned to, the case it was put into, or the alert it was merged with or parted from.
    """

    id: str
    alert: str
    what: Deed
    by: str
    at: datetime
    reason: str = ""
    until: datetime | None = None
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlRun:
    """One visit to one source: found = stored + duplicate + refused + off_topic. `error` is empty when it went well.

    `off_topic` counts what a source that watches found beside its watch lists' topics; it is not stored.

    `complaint` is empty, or says in what the source departs from what it should be: a floor in its YAML missed ("0
    found, floor 5"), silence where it always spoke, fields that always were there. `remark` tells what is no fault of
    anybody ("12 articles left for the next visit"). `left` counts items and pages that were met and left for the next
    visit, `cut` tells that the visit's time was up before its end: what it did not see is not known. `deleted` counts
    documents that were taken back by their source and are forgotten.
    """

    id: str
    source: str
    started_at: datetime
    finished_at: datetime
    found: int = 0
    stored: int = 0
    duplicate: int = 0
    refused: int = 0
    undated: int = 0
    off_topic: int = 0
    error: str = ""
    complaint: str = ""
    remark: str = ""
    left: int = 0
    cut: bool = False
    deleted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An item that was not stored, where it stood, and why. `sample` is bounded and may be shown only escaped."""

    id: str
    source: str
    where: str
    reason: str
    at: datetime
    sample: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a mention said before it was edited, or that its source took it back.

    `mention` is the mention's id, `at` when the change was seen. A deleted mention is forgotten with all its earlier
    versions: its revision says when, and nothing of what it said.
    """

    id: str
    mention: str
    source: str
    what: Literal["edited", "deleted"]
    at: datetime
    title: str = ""
    text: str = ""
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a stage or a source has come: a cursor, a watermark, an ETag."""

    id: str
    value: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """That one worker alone works on something until it gives it back or `until` is past: a source, a host.

    Attributes:
        holder: the worker, by machine and data folder; empty of one that nobody holds.
        at: when it was taken, or last renewed.
        free_at: of a host, when it may be asked next, whoever asks.
    """

    id: str
    holder: str
    at: datetime
    until: datetime
    free_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """That somebody is to be told something, once; `id` follows from `receiver`, `about` and `state`.

    Attributes:
        receiver: its id in the settings; a store keeps no addresses.
        about: the alert's or the source's id.
        state: what of it is told: ``new``, ``graver: critical``, ``escalated``, ``dying since …``.
        at: when it was found out that it is to be told.
        status: ``due``, ``held`` (quiet hours), ``sending`` (written before it is sent, so that a crash shows),
            ``sent``, ``failed`` (tried again at `next_at`) or ``dead`` (given up).
        attempts: how often it was tried.
        next_at: when it is tried next.
        sent_at: when the other side accepted it.
        said: what it answered, or what went wrong.
    """

    id: str
    receiver: str
    about: str
    state: str
    at: datetime
    status: DeliveryStatus = "due"
    severity: Severity = "medium"
    title: str = ""
    attempts: int = 0
    next_at: datetime | None = None
    sent_at: datetime | None = None
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """A query that somebody wants to ask again: a text of the query language, or a statement in SQL.

    `tell` are the receivers of alerts that hear when it changes.
    """

    id: str
    name: str
    text: str
    owner: str
    at: datetime
    language: SearchLanguage = "search"
    tell: tuple[str, ...] = ()


Record = (
    Mention
    | Enriched
    | Membership
    | Theme
    | Lineage
    | Signal
    | Case
    | Label
    | Task
    | Sample
    | Moderation
    | Snooze
    | Decision
    | CrawlRun
    | Refusal
    | Checkpoint
    | Revision
    | SavedSearch
    | Lease
    | Delivery
)
RECORDS: tuple[type[Any], ...] = (
    Mention,
    Enriched,
    Membership,
    Theme,
    Lineage,
    Signal,
    Case,
    Label,
    Task,
    Sample,
    Moderation,
    Snooze,
    Decision,
    CrawlRun,
    Refusal,
    Checkpoint,
    Revision,
    SavedSearch,
    Lease,
    Delivery,
)
