"""What labelling costs at size: processor time of the next document, and of the quality report.

    python bench/labels.py --keep FOLDER        # a store that bench/sql.py has made and kept

Draws audits of 10,000 documents, labels them (two labels each, 20,000 in all) beside 2,000 that still wait.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from groundswell.configs.schema import Settings
from groundswell.configs.taxonomy import load_taxonomy
from groundswell.index.open import open_store
from groundswell.index.records import Label, Task
from groundswell.nlp.trust.labels import population
from groundswell.nlp.trust.sampling import draw_audit
from groundswell.ui.labelling import Labelling, next_task
from groundswell.ui.report.quality import as_html, look

START = datetime(2026, 8, 1, tzinfo=UTC)
END = START + timedelta(days=91)


def main(args: Sequence[str] | None = None) -> None:
    """Draw, label, ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    settings = Settings(data_dir=parser.parse_args(args).keep)
    with open_store(settings) as store:
        if len(store.recent(Label, limit=20_000)) < 20_000:
            _fill(settings, Labelling(store, load_taxonomy().risk_ids))
        seconds = []
        for n in range(40):
            begun = time.process_time()
            next_task(store, f"person {n}")
            seconds.append(time.process_time() - begun)
        print(json.dumps({"next document, p95 of processor seconds": round(float(np.percentile(seconds, 95)), 3)}))
        begun = time.process_time()
        page = as_html(look(store, settings, days=3650, now=END))
        print(
            json.dumps({"quality report, processor seconds": round(time.process_time() - begun, 2), "bytes": len(page)})
        )


def _fill(settings: Settings, desk: Labelling) -> None:
    members = population(settings, since=START, until=END)
    sample, tasks = draw_audit(members, size=10_000, second=0, since=START, until=END, by="bench", now=END)
    labels = [
        Label(
            id=f"{task.id}-{field}", subject=task.subject, field=field, value=value, annotator="bench", at=END,
            queue="audit", sample=task.sample, stratum=task.stratum, predicted=task.predicted[field],
            made_by=task.made_by, lang=task.lang, market=task.market,
        )
        for task in tasks
        for field, value in (("sentiment", "negative"), ("risks", "none"))
    ]  # fmt: skip
    desk.store.put([sample, *labels])
    desk.store.put([replace(task, id=f"w{n}", queue="uncertain") for n, task in enumerate[Task](tasks[:2000])])


if __name__ == "__main__":
    main()
