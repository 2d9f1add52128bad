"""What a first question in SQL costs: processor time of a whole `groundswell sql`, both processes from start to end.

    python bench/sql.py --documents 300000 [--keep FOLDER]

Nothing is exported before, so each answer is a first one. Beside the questions it says what a start alone costs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from store import records

from groundswell.configs.schema import Settings
from groundswell.index.open import open_store
from groundswell.index.records import Enriched

QUESTIONS = {
    "start alone": "select 1",
    "count": "select count(*) from documents",
    "by market": "select market, count(*) from documents group by 1",
    "pivot": "pivot documents on sentiment using count(*) group by market",
    "risks": "select risk, count(*) from (select unnest(risks) as risk from documents) group by 1",
    "days of themes": "select * from theme_days order by documents desc limit 10",
    "facts": "select * from facts order by documents desc limit 10",
    "words": "select id, title from documents where text ilike '%bata deng%' limit 10",
    "all columns": "from documents limit 10",
}


def main(args: Sequence[str] | None = None) -> None:
    """Make a store, or take the one that is kept, and ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=300_000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args(args)
    folder = given.keep or Path(tempfile.mkdtemp(prefix="groundswell-sql-"))
    if not (folder / "groundswell.db").exists():
        build(folder, given.documents)
    asked(folder, "select 1")
    for name, statement in QUESTIONS.items():
        shutil.rmtree(folder / "parquet", ignore_errors=True)
        print(json.dumps({"question": name, "processor_seconds": round(asked(folder, statement), 2)}), flush=True)
    if not given.keep:
        shutil.rmtree(folder)


def build(folder: Path, count: int) -> None:
    """Fill a store; vectors have no part in SQL."""
    with open_store(Settings(data_dir=folder)) as store:
        for batch in records(count):
            store.put([replace(one, vector=None) if isinstance(one, Enriched) else one for one in batch])


def asked(folder: Path, statement: str) -> float:
    """Return the processor seconds of one call, its child included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call = ["--set", f"data_dir={folder}", "sql", statement]
    code = "import sys; from groundswell.ui.cli import main; main(sys.argv[1:])"
    cached = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as an installed package is
    env = {**cached, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    subprocess.run([sys.executable, "-c", code, *call], check=True, capture_output=True, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
