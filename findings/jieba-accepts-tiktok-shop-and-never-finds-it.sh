#!/usr/bin/env bash
# jieba.add_word("TikTok Shop") and ("抖音·小店") succeed, and the words are never found: what holds a blank, a middle dot, an apostrophe or an @ is cut before the dictionary is asked. "AI客服", "双11" and "e-wallet" are found.
# Versions: jieba 0.42.1.
# A good engineer guesses: a word that was added, with any frequency, is found; the user dictionary's own format is for that, and what cannot be a word is refused.
# What happens: the text is first split by a pattern of allowed letters (Chinese, ASCII letters and digits, + # & . _ % -), then each part goes to the dictionary; letters beyond it, such as those of 𠮷 (in names and shops), stand alone for the same reason.
# Lost by the guess: the brand names a monitor is about never come up as words: counts of "Shop" and "Go" instead of TikTok Shop and Touch'n Go.
# Source: jieba/__init__.py (re_han_default), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'jieba==0.42.1'
"$dir/v/bin/python" -W ignore - 2>/dev/null <<'PY'
import tempfile
from importlib.metadata import version

import jieba

jieba.dt.tmp_dir = tempfile.mkdtemp()
print("jieba", version("jieba"))
WORDS = ("TikTok Shop", "抖音·小店", "Touch'n Go", "@官方", "𠮷野家", "AI客服", "双11", "e-wallet", "C++")
for word in WORDS:
    jieba.add_word(word, freq=100_000)
seen = {word: word in jieba.lcut(f"我在{word}被骗了") for word in WORDS}
for word in WORDS:
    print(f"{word:12} seen {jieba.lcut(f'我在{word}被骗了')}   guessed the word in it")
assert [word for word in WORDS if not seen[word]] == list(WORDS[:5]), "behaviour has changed"
PY
