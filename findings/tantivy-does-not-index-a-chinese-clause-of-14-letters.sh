#!/usr/bin/env bash
# In a tantivy text field with its default tokenizer a Chinese clause of 14 letters or more is not in the index at all: not even the very same clause finds it. One of 13 letters is found, by itself only.
# Versions: tantivy 0.27.0 (Python).
# A good engineer guesses: without a Chinese tokenizer the whole clause is one term: hard to find, but there.
# What happens: a run of letters is one token, and the default chain removes tokens of more than 40 BYTES (meant for base64 in English text), which are 13 Chinese letters. Thai is spared, because its tone marks cut it into pieces. The tokenizer shown by TextAnalyzerBuilder(Tokenizer.simple()) has no such limit, so a look at the tokens shows nothing.
# Lost by the guess: long clauses, where the complaint is, cannot be searched; the document is found by its short ones, so the gap is hard to see.
# Source: tantivy's "default" tokenizer (RemoveLongFilter of 40), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'tantivy==0.27.0'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

import tantivy

print("tantivy", version("tantivy"))
schema = tantivy.SchemaBuilder()
schema.add_text_field("body")
index = tantivy.Index(schema.build())
CLAUSES = {
    "Chinese, 13 letters": "广告账户在一夜之间被扣两次",
    "Chinese, 14 letters": "广告账户在一夜之间被扣两次款",
    "Chinese, 17 letters": "他们的广告账户在一夜之间被扣款两次",
    "Thai": "ลูกค้าร้องเรียนว่าโฆษณาหลอกลวงบนแอปทำให้เสียเงินหลายหมื่นบาท",
    "Indonesian": "akun iklan mereka dipotong dua kali dalam semalam",
}
writer = index.writer(15_000_000, 1)
for clause in CLAUSES.values():
    writer.add_document(tantivy.Document(body=clause))
writer.commit()
writer.wait_merging_threads()
index.reload()
searcher = index.searcher()
seen = {name: searcher.search(index.parse_query(clause, ["body"]), 10).count for name, clause in CLAUSES.items()}
tokens = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).build().analyze(CLAUSES["Chinese, 17 letters"])
for name, clause in CLAUSES.items():
    print(f"{name:20} {len(clause.encode()):4} bytes: documents that its own text finds, seen {seen[name]}   guessed 1")
print("tokens of the last Chinese one by the simple tokenizer:", tokens)
assert list(seen.values()) == [1, 0, 0, 1, 1] and len(tokens) == 1, "behaviour has changed"
PY
