#!/usr/bin/env bash
# RapidFuzz's default_process, which "keeps letters and numbers", takes vowel and tone marks out of Thai, Hindi and Burmese: ปู (crab), ปู่ (grandfather) score 100; scikit-learn's default token pattern cuts น้ำมัน (oil) down to ำม.
# Versions: rapidfuzz 3.14.6, scikit-learn 1.9.1.
# A good engineer guesses: marks are part of the word, as they are for every reader; different words stay different, and a word is one token.
# What happens: the marks are of category Mn, which neither takes for a letter: RapidFuzz puts a blank for each, so words that differ by a mark alone are equal; CountVectorizer (BERTopic's topic words, KeyBERT, LDA) splits at each and throws single letters away. Vietnamese, Chinese and Indonesian are as guessed.
# Lost by the guess: near-duplicate checks merge different Thai words and names; topic words of Thai themes are pieces that nobody can read.
# Source: seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'rapidfuzz==3.14.6' 'scikit-learn==1.9.1'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from rapidfuzz import fuzz, utils
from sklearn.feature_extraction.text import CountVectorizer

print({name: version(name) for name in ("rapidfuzz", "scikit-learn")})


def tokens(text):
    return CountVectorizer().fit([text]).get_feature_names_out().tolist()


seen = {
    "rapidfuzz ปู / ปู่": fuzz.ratio("ปู", "ปู่", processor=utils.default_process),
    "the same, unprocessed": round(fuzz.ratio("ปู", "ปู่")),
    "rapidfuzz quảng cáo": utils.default_process("Quảng cáo!"),
    "sklearn โฆษณา น้ำมัน": tokens("โฆษณา น้ำมัน"),
    "sklearn विज्ञापन": tokens("विज्ञापन धोखाधड़ी"),
    "sklearn quảng cáo": tokens("quảng cáo"),
}
guess = {
    "rapidfuzz ปู / ปู่": 80.0, "the same, unprocessed": 80, "rapidfuzz quảng cáo": "quảng cáo",
    "sklearn โฆษณา น้ำมัน": ["น้ำมัน", "โฆษณา"], "sklearn विज्ञापन": ["धोखाधड़ी", "विज्ञापन"], "sklearn quảng cáo": ["cáo", "quảng"],
}
expected = guess | {
    "rapidfuzz ปู / ปู่": 100.0, "sklearn โฆษณา น้ำมัน": ["ำม", "โฆษณา"], "sklearn विज्ञापन": ["धड", "पन"],
}
for name in seen:
    print(f"{name:24} seen {seen[name]!r}   guessed {guess[name]!r}")
assert seen == expected, "behaviour has changed"
PY
