"""How do you know? Every figure that board, digest and reports show, with the question in SQL that gives it again.

Most statements count documents or records anew, by themselves; those that name a table such as `quality`, whose
estimates no short statement could make, read what the page reads (docs/sql.md says which). Parameters are filled with
what the page shows: ``$now`` is its moment, ``$since`` when its day began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from groundswell.index.sql_parameters import parameters

DATED = "date_confidence <> 'none'"
NOW = "$now::timestamptz"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, or several of one kind.

    Attributes:
        pages: the views that show it; ``digest``, ``quality report`` and ``brief`` are no views.
        shows: what it is, in words.
        sql: the question; the texts of a row, if any, say which figure of its kind it is.
    """

    pages: tuple[str, ...]
    shows: str
    sql: str

    def address(self, values: Mapping[str, str]) -> str:
        """Return the board's address of the question, filled with what a page shows."""
        given = {f"p_{name}": value for name in parameters(self.sql) if (value := values.get(name, ""))}
        return f"sql?{urlencode({'sql': self.question, **given})}"

    @property
    def question(self) -> str:
        """Return the statement with what its parameters usually are, in comments above it."""
        usual = [f"-- ${name} = {USUAL[name]}\n" for name in parameters(self.sql) if name in USUAL]
        return "".join(usual) + self.sql

    def can_be_asked(self, values: Mapping[str, str]) -> bool:
        """Return whether a page knows all that the question needs."""
        return all(values.get(name) or usual for name, usual in parameters(self.question).items())


def figures_of(page: str) -> tuple[Figure, ...]:
    """Return the figures of a page."""
    return tuple(one for one in FIGURES if page in one.pages)


def _window(begin: str, end: str = NOW) -> str:
    """Return the condition that a document has a trustworthy date within ``[begin, end)``."""
    return f"{DATED} and published_at >= {begin} and published_at < {end}"


def _ago(span: str) -> str:
    return f"{NOW} - interval {span}"


TODAY, THEME = ("today",), ("theme",)
USUAL = {"search": "-", "words": "-", "of": "-", "word": "ads"}
"""What parameters of searches are without a page: "-" stands for nothing, that is, for all documents."""
EXPLAINED = (
    "with shape as (select $since::timestamptz as s, $until::timestamptz as u,\n"
    "  ceil(epoch(u - s) / 86400)::int as step, greatest(1, 28 // step)::int as most),\n"
    f"begun as (select min(published_at) as b from documents where {DATED}),\n"
    "windows as (select k, s - k * step * interval 1 day as a, u - k * step * interval 1 day as z\n"
    "  from shape, range(0, most + 1) t(k)),\n"
    "kept as (select k, a, z from windows, begun where k = 0 or a >= b or (k = 1 and (select min(a) from windows where k = 1) < b)),\n"
    "mine as (select k, source, theme, market, risks, duplicate from documents, kept\n"
    f"  where {DATED} and published_at >= a and published_at < z and id in (select id from found($words, $of))),\n"
    "cells as (select k, source, coalesce(theme, '') as theme, market, count(*) as n, n - count(distinct duplicate) as r,\n"
    "  1 + (coalesce(theme, '') <> '')::int + (market <> '')::int as c,\n"
    "  if(k = 0, 1.0, -1.0 / (select count(*) - 1 from kept)) as w from mine group by k, source, theme, market)"
)
FIGURES: tuple[Figure, ...] = (
    # --- Today, inbox, digest
    Figure(
        ("today", "digest"), "new posts since the day began, and from how many sources",
        f"select count(*) as posts, count(distinct source) as sources\nfrom documents where {_window('$since')}",
    ),
    Figure(
        ("today", "sources", "digest"), "sources that were ever visited or brought a document in 88 days",
        "select count(distinct source) as sources from coverage",
    ),
    Figure(
        ("today", "sources", "digest"), "sources not seen, by day, and the days on which each was not seen",
        "select source, count(*) as days, list(day order by day) as which, list(distinct why) as said, bool_or(day = current_date) as today\n"
        f"from coverage where state = 'bad' and day > {NOW}::date - 30 group by 1 order by 2 desc, 1",
    ),
    Figure(
        TODAY, "share of posts without a date",
        f"select count(*) as posts, count(*) filter (not ({DATED})) as undated,\n"
        f"  count(*) filter (not ({DATED})) / count(*) as share from documents",
    ),
    Figure(
        ("today", "inbox", "digest"), "alerts by where they stand",
        "select status, count(*) as alerts from episodes group by 1 order by 1",
    ),
    Figure(
        ("digest",), "alerts that wait, new since the edition before or not",
        "select began_at >= $since as is_new, count(*) as alerts from episodes where status = 'waiting' group by 1",
    ),
    Figure(
        ("today", "inbox", "theme", "digest"), "weaker signals of the last 7 days that were held back",
        "select title, len(evidence) as documents, held_by, why, \"at\" from signals\n"
        f"where not fired and held_by <> 'follow-up' and \"at\" > {_ago('7 days')} and \"at\" <= {NOW}\n"
        "order by strength desc",
    ),
    Figure(
        ("today", "inbox", "theme", "digest"), "documents of each alert since it began, of its last 24 and 48 hours; mood",
        "select e.id, e.title, e.phase, e.status, count(*) as documents,\n"
        f"  count(*) filter (d.published_at >= {_ago('24 hours')}) as day,\n"
        f"  count(*) filter (d.published_at >= {_ago('48 hours')} and d.published_at < {_ago('24 hours')}) as day_before,\n"
        "  any_value(e.usual_a_day) as usual_a_day, avg(d.mood) as mood\n"
        "from episodes e join alert_documents a on a.alert = e.id join documents d on d.id = a.document\n"
        f"where d.published_at < {NOW} group by all order by documents desc",
    ),
    Figure(
        ("today", "digest"), "documents of each alert by market and by language",
        "select a.alert, 'market' as part, d.market as value, count(*) as documents\n"
        "from alert_documents a join documents d on d.id = a.document\n"
        f"where d.market <> '' and d.published_at < {NOW} group by all\n"
        "union all select a.alert, 'language', d.lang, count(*)\n"
        "from alert_documents a join documents d on d.id = a.document\n"
        f"where d.lang <> '' and d.published_at < {NOW} group by all order by 1, 2, 4 desc",
    ),
    Figure(
        ("today", "inbox", "theme", "digest"), "what each signal was told by: what was seen, what is usual, documents",
        "select id, kind, severity, title, \"at\", observed, expected, len(evidence) as documents, why, fired, held_by,\n"
        f"  alert_chance from signals where \"at\" <= {NOW} order by \"at\" desc",
    ),
    Figure(
        ("today", "digest"), "documents and mean mood a day",
        "select published_at::date as day, count(*) as documents, avg(mood) as mood\n"
        f"from documents where {_window(f'({NOW}::date - 59)')} group by 1 order by 1",
    ),
    Figure(
        TODAY, "risk × market: the last 24 hours beside 28 days, in standard deviations (at least Poisson's, at least 1)",
        "with each as (select unnest(risks) as risk, market, duplicate, published_at from documents\n"
        f"  where {DATED} and published_at < {NOW}),\n"
        "days as (select risk, market, published_at::date as day, count(distinct duplicate) as texts from each\n"
        f"  where published_at >= {NOW}::date - 29 and published_at < {NOW}::date - 1 group by all),\n"
        "usual as (select risk, market, sum(texts) / 28 as mean, sum(texts * texts) / 28 - (sum(texts) / 28) ^ 2 as variance\n"
        "  from days group by all),\n"
        "latest as (select risk, market, count(distinct duplicate) as texts from each\n"
        f"  where published_at >= {_ago('24 hours')} group by all)\n"
        "select risk, market, coalesce(texts, 0) as texts, coalesce(mean, 0) as usual, (coalesce(texts, 0) - coalesce(mean, 0))\n"
        "  / sqrt(greatest(coalesce(variance, 0), coalesce(mean, 0), 1)) as deviations\n"
        "from latest full join usual using (risk, market) order by 5 desc",
    ),
    Figure(
        ("today", "themes"), "texts of each theme in 48 hours and the 48 before (copies folded), mood, documents",
        "select theme, count(distinct duplicate) filter (\n"
        f"    {_window(_ago('96 hours'), _ago('48 hours'))}) as was,\n"
        f"  count(distinct duplicate) filter ({_window(_ago('48 hours'))}) as now,\n"
        f"  avg(mood) filter ({_window(_ago('48 hours'))}) as mood, count(*) as documents\n"
        "from documents where theme <> '' group by 1 order by now desc",
    ),
    Figure(
        ("themes",), "themes by state", "select state, count(*) as themes from themes group by 1",
    ),
    # --- one theme
    Figure(
        THEME, "its documents, of 7 days, moods, copies of 88 days, alerts",
        "select count(*) as documents,\n"
        f"  count(distinct duplicate) filter ({_window(f'{NOW}::date - 6')}) as texts_7_days,\n"
        f"  avg(mood) filter ({_window(f'{NOW}::date - 6')}) as mood_7_days,\n"
        "  (select count(*) from episodes where theme = $theme) as alerts,\n"
        "  (select sum(n - texts) from (select count(*) as n, count(distinct duplicate) as texts from documents\n"
        f"    where theme = $theme and {_window(f'{NOW}::date - 87')} group by published_at::date)) as copies,\n"
        f"  count(*) filter ({_window(f'{NOW}::date - 87')}) as of_documents\n"
        "from documents where theme = $theme",
    ),
    Figure(
        THEME, "its texts a day and their mood",
        "select published_at::date as day, count(distinct duplicate) as texts, avg(mood) as mood\n"
        f"from documents where theme = $theme and {_window(f'({NOW}::date - 59)')} group by 1 order by 1",
    ),
    Figure(
        THEME, "its documents by language, market, source, party, risk and feeling",
        "with mine as (from documents where theme = $theme),\n"
        "parts as (select 'lang' as part, lang as value from mine\n"
        "  union all select 'market', market from mine union all select 'source', source from mine\n"
        "  union all select 'target', unnest(list_distinct([split_part(t, ':', 1) for t in targets])) from mine\n"
        "  union all select 'risk', unnest(risks) from mine union all select 'sentiment', sentiment from mine),\n"
        "counts as (select part, value, count(*) as documents from parts where value <> '' group by 1, 2)\n"
        "select *, documents / (select count(*) from mine) as share from counts order by 1, 3 desc",
    ),
    Figure(
        THEME, "texts and mood by whom they are about, four weeks before and the last 7 days",
        "with each as (select unnest(list_distinct([split_part(t, ':', 1) for t in targets])) as who, duplicate, mood,\n"
        f"  published_at from documents where theme = $theme and {_window(_ago('35 days'))})\n"
        f"select who, count(distinct duplicate) filter (published_at < {_ago('7 days')}) as texts_before,\n"
        f"  avg(mood) filter (published_at < {_ago('7 days')}) as mood_before,\n"
        f"  count(distinct duplicate) filter (published_at >= {_ago('7 days')}) as texts,\n"
        f"  avg(mood) filter (published_at >= {_ago('7 days')}) as mood from each group by 1 order by 1",
    ),
    Figure(
        THEME, "how each of its newest documents feels",
        "select published_at, source, sentiment, mood, id from documents where theme = $theme order by 1 desc limit 500",
    ),
    # --- searches
    Figure(
        ("search", "explain"), "how each document feels",
        "select published_at, source, sentiment, mood, id from documents\n"
        "where id in (select id from found($search, $of)) order by 1 desc limit 500",
    ),
    Figure(
        ("search",), "documents and texts that a search finds",
        "select count(*) as documents, count(distinct duplicate) as texts\n"
        "from documents where id in (select id from found($search, $of))",
    ),
    Figure(
        ("search",), "of these, how many documents of each source, risk, feeling and so on",
        "with mine as (from documents where id in (select id from found($search, $of))),\n"
        "parts as (select 'lang' as part, lang as value from mine union all select 'kind', kind from mine\n"
        "  union all select 'market', market from mine union all select 'source', source from mine\n"
        "  union all select 'target', unnest(list_distinct([split_part(t, ':', 1) for t in targets])) from mine\n"
        "  union all select 'risk', unnest(risks) from mine union all select 'theme', theme from mine\n"
        "  union all select 'sentiment', sentiment from mine),\n"
        "counts as (select part, value, count(*) as documents from parts where value <> '' group by 1, 2)\n"
        "select *, documents / (select count(*) from mine) as share from counts order by 1, 3 desc",
    ),
    Figure(
        ("search",), "of these, how many texts and documents a day",
        "select published_at::date as day, count(distinct duplicate) as texts, count(*) as documents\n"
        f"from documents where {DATED} and id in (select id from found($search, $of)) group by 1 order by 1",
    ),
    Figure(
        ("explain",), "what made it: documents, what is usual, and the Shapley value of each source, theme and market",
        f"{EXPLAINED},\n"
        "parts as (\n"
        "  select k, 'source' as part, source as value, n, w * ((n - r) / c + r / (c + 1)) as excess from cells\n"
        "  union all select k, 'theme', theme, n, w * ((n - r) / c + r / (c + 1)) from cells where theme <> ''\n"
        "  union all select k, 'market', market, n, w * ((n - r) / c + r / (c + 1)) from cells where market <> ''\n"
        "  union all select k, 'copies', '', r, w * r / (c + 1) from cells\n"
        "  union all select k, '', 'all', n, w * n from cells),\n"
        "sums as (select part, value, sum(excess) as more_than_usual, coalesce(sum(n) filter (k = 0), 0) as documents,\n"
        "    coalesce(sum(n) filter (k > 0), 0) / (select count(*) - 1 from kept) as usual,\n"
        "    (select count(*) - 1 from kept) as windows from parts group by 1, 2),\n"
        "large as (from sums where part <> '' and abs(more_than_usual) >= 0.5 order by abs(more_than_usual) desc, part, value limit 14)\n"
        "from sums union all select '', 'everything else',\n"
        "  (select more_than_usual from sums where part = '') - (select coalesce(sum(more_than_usual), 0) from large),\n"
        "  null, null, null order by abs(more_than_usual) desc",
    ),
    Figure(
        ("explain",), "its risks beside what is usual",
        f"{EXPLAINED}\n"
        "select risk, documents, before / n as usual, documents - before / n as more_than_usual\n"
        "from (select risk, count(*) filter (k = 0) as documents, count(*) filter (k > 0) as before\n"
        "  from (select k, unnest(risks) as risk from mine) group by 1), (select count(*) - 1 as n from kept)\n"
        "order by abs(documents - before / n) desc",
    ),
    Figure(
        ("compare",), "documents and mood of both periods: in all, and by theme, risk, source and so on",
        "with mine as (select *, published_at >= $later_since and published_at < $later_until as is_later\n"
        f"  from documents where {DATED} and id in (select id from found($words, $of)) and\n"
        "  (published_at >= $later_since and published_at < $later_until\n"
        "   or published_at >= $earlier_since and published_at < $earlier_until)),\n"
        "parts as (select '' as part, '' as value, is_later, mood from mine\n"
        "  union all select 'theme', theme, is_later, mood from mine\n"
        "  union all select 'risk', unnest(risks), is_later, mood from mine\n"
        "  union all select 'source', source, is_later, mood from mine\n"
        "  union all select 'market', market, is_later, mood from mine\n"
        "  union all select 'lang', lang, is_later, mood from mine\n"
        "  union all select 'sentiment', sentiment, is_later, mood from mine\n"
        "  union all select 'target', unnest(list_distinct([split_part(t, ':', 1) for t in targets])), is_later, mood\n"
        "    from mine\n"
        "  union all select 'kind', kind, is_later, mood from mine)\n"
        "select part, value, count(*) filter (is_later) as later, count(*) filter (not is_later) as earlier,\n"
        "  later / (epoch($later_until::timestamptz - $later_since::timestamptz) / 86400) as later_a_day,\n"
        "  earlier / (epoch($earlier_until::timestamptz - $earlier_since::timestamptz) / 86400) as earlier_a_day,\n"
        "  later_a_day - earlier_a_day as more_a_day,\n"
        "  avg(mood) filter (is_later) as mood_later, avg(mood) filter (not is_later) as mood_earlier\n"
        "from parts where value <> '' or part = '' group by all order by 1, 3 desc",
    ),
    Figure(
        ("compare",), "documents of both periods that say a word",
        "select\n"
        "  count(*) filter (published_at >= $later_since and published_at < $later_until) as later,\n"
        "  count(*) filter (published_at >= $earlier_since and published_at < $earlier_until) as earlier,\n"
        "  later / (epoch($later_until::timestamptz - $later_since::timestamptz) / 86400)\n"
        "  - earlier / (epoch($earlier_until::timestamptz - $earlier_since::timestamptz) / 86400) as more_a_day\n"
        f"from documents where {DATED} and id in (select id from found($words, $of, $word))",
    ),
    # --- cases
    Figure(
        ("cases",), "cases that are open, late and closed",
        "select count(*) filter (status <> 'closed') as open,\n"
        "  count(*) filter (status <> 'closed' and due < now()) as late,\n"
        "  count(*) filter (status = 'closed') as closed from cases",
    ),
    Figure(
        ("cases",), "each case: what it rests on and when it is due",
        "select c.id, c.title, c.status, c.severity, c.owner, c.due, len(c.signals) as signals,\n"
        "  (select count(*) from case_documents where \"case\" = c.id) as documents, c.version\n"
        "from cases c order by c.opened_at desc",
    ),
    # --- sources
    Figure(
        ("sources",), "posts of each source in 30 days, and what it said at its last visit",
        "with last as (select source, arg_max(error || complaint || remark, started_at) as said from runs group by 1),\n"
        "counts as (select source, count(*) as posts from documents\n"
        f"  where {_window(f'({NOW}::date - 29)')} group by 1)\n"
        "select source, coalesce(posts, 0) as posts, said from counts full join last using (source) order by 2 desc",
    ),
    Figure(
        ("sources",), "visits: what each found",
        "select started_at, source, found, stored, duplicate, refused, off_topic, undated,\n"
        "  round(epoch(finished_at - started_at)) as seconds, error || complaint as said, count(*) over () as visits\n"
        "from runs order by started_at desc",
    ),
    Figure(
        ("sources",), "what was refused, by reason",
        "select reason, count(*) as items, sum(count(*)) over () as all_items from refusals group by 1 order by 2 desc",
    ),
    Figure(
        ("sources",), "each item that was refused", "select \"at\", source, reason, place, sample from refusals",
    ),
    Figure(
        ("sources",), "deliveries by how they stand, and the tries of each",
        "select status, count(*) as deliveries, list(attempts order by \"at\" desc) as attempts from deliveries group by 1",
    ),
    # --- labels and quality
    Figure(
        ("labels",), "judged alerts by kind, precision with its interval (Wilson)",
        "with judged as (select coalesce(s.kind, 'forgotten') as kind, l.value from labels l\n"
        "  left join signals s on s.id = l.subject where l.field = 'disposition'),\n"
        "counts as (select kind, count(*) filter (value = 'confirmed') as confirmed, count(*) filter (value = 'false') as wrong,\n"
        "  count(*) filter (value not in ('confirmed', 'false')) as duplicate, confirmed + wrong as n from judged group by 1)\n"
        "select kind, confirmed, wrong, duplicate, confirmed / n as precision,\n"
        "  (confirmed / n + 1.9208 / n - 1.96 * sqrt(confirmed / n * (1 - confirmed / n) / n + 0.9604 / n ^ 2)) / (1 + 3.8416 / n) as low,\n"
        "  (confirmed / n + 1.9208 / n + 1.96 * sqrt(confirmed / n * (1 - confirmed / n) / n + 0.9604 / n ^ 2)) / (1 + 3.8416 / n) as high,\n"
        "  sum(confirmed + wrong + duplicate) over () as judged from counts order by 1",
    ),
    Figure(
        ("label",), "documents that wait for labels, by queue",
        "select coalesce(queue, 'all') as queue, count(*) as documents from tasks\n"
        "where len(given) < wanted group by grouping sets ((queue), ()) order by 2 desc",
    ),
    Figure(
        ("quality", "quality report"), "audits of 90 days, documents labelled, share that the model would not say",
        "select count(*) as audits, sum(labelled) as labelled, sum(unsure) / sum(documents) as unsure\n"
        f"from samples where \"at\" >= {_ago('90 days')}",
    ),
    Figure(
        ("quality", "quality report"), "precision, recall, errors by class, language, market and model, with intervals",
        "select part, class, slice, labelled, precision, precision_low, precision_high, recall, recall_low, recall_high,\n"
        "  1 - recall as missed, 1 - recall_high as missed_low, 1 - recall_low as missed_high,\n"
        "  false_positives, false_positives_low, false_positives_high, prevalence, prevalence_low, prevalence_high,\n"
        "  population, called from quality order by 1, 2, 3",
    ),
    Figure(
        ("quality",), "abnormal days: documents and feelings beside the four weeks before",
        "select day, documents, usual, negative, usual_negative, odd from abnormal_days where abnormal order by day desc",
    ),
    Figure(
        ("quality", "quality report"), "what has moved", "select what, bits, most from drift",
    ),
    Figure(
        ("quality", "quality report"), "agreement of those who label",
        "select field, units as documents, observed, kappa, alpha, ordinal from agreement where observed is not null",
    ),
    Figure(
        ("quality", "quality report"), "moderators' decisions by month, beside complaints of users",
        "select month, decisions, rejected, appealed, overturned, wrong, low, high, seconds, complaints\n"
        "from moderation_months order by 1 desc",
    ),
    Figure(
        ("quality", "label"), "who labels how well: people, machines, teams, by class and week",
        "select \"by\", who, field, week, labels, correct, share, low, high, gap from performance order by 1, 2, 3, 4",
    ),
    # --- rules and policies
    Figure(
        ("rules",), "rules, and those that work",
        "select count(*) as rules, count(*) filter (works) as working from rules",
    ),
    Figure(
        ("rules",), "each rule with its version", "select id, about, version, owner, expires, shadow, works from rules",
    ),
    Figure(
        ("rules",), "hits, precision and recall of each rule by labels",
        "select rule, hits, alone, judged, correct, precision, recall from rule_measures order by hits desc",
    ),
    Figure(
        ("policies",), "clauses that hold today", "select count(*) filter (holds) as hold, count(*) as versions from clauses",
    ),
    Figure(
        ("policies",), "policy gaps: documents of 28 days and the 28 before, by market and risk",
        "select kind, market, risk, documents, before, chance, clauses from policy_gaps",
    ),
    Figure(
        ("policies",), "root causes of closed cases by month",
        "select depth, month, cause, cases, share, cumulative from causes order by depth, month desc, cases desc",
    ),
)  # fmt: skip
