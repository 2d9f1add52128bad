#!/usr/bin/env bash
# OpenCC's tw2sp, run over text that is simplified already, changes it: 小程序 (mini-program, where scam shops live) becomes 小进程 (small process), 程序员 (programmer) 进程员.
# Versions: OpenCC 1.4.2.
# A good engineer guesses: converting to simplified leaves simplified text as it is, so a mixed stream can go through it without looking; and s2t followed by tw2sp gives the text back.
# What happens: 程序 is the same letters in both scripts, but Taiwan's 程序 is a process (进程); the phrase table cannot know whose it is. 软件, 视频, 网络 stay. Taiwan's words in simplified letters (资讯, 专案) stay as they are, in traditional ones (資訊, 專案) they become 信息, 项目.
# Lost by the guess: complaints about WeChat mini-programs are indexed, searched and themed under a word that nobody writes.
# Source: seen by running it (TWPhrases).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'OpenCC==1.4.2'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

import opencc

print("OpenCC", version("OpenCC"))
tw2sp, s2t = opencc.OpenCC("tw2sp"), opencc.OpenCC("s2t")
SIMPLIFIED = ("小程序", "程序员", "软件", "视频广告", "网络诈骗", "资讯", "专案")
seen = {text: tw2sp.convert(text) for text in SIMPLIFIED} | {text: tw2sp.convert(text) for text in ("資訊", "專案")}
back = tw2sp.convert(s2t.convert("小程序"))
guess = {text: text for text in SIMPLIFIED} | {"資訊": "资讯", "專案": "专案"}
for text, got in seen.items():
    print(f"{text:6} seen {got}   guessed {guess[text]}")
print("there and back:", back, "  guessed 小程序")
expected = guess | {"小程序": "小进程", "程序员": "进程员", "資訊": "信息", "專案": "项目"}
assert seen == expected and back == "小进程", "behaviour has changed"
PY
