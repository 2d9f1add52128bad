#!/usr/bin/env bash
# trafilatura's content_fingerprint and Simhash give every Thai text one and the same value, ffffffffffffffff: a story about scam ads and a weather warning are "100 % similar".
# Versions: trafilatura 2.3.1.
# A good engineer guesses: different texts have different fingerprints in every language, or a language without spaces is refused.
# What happens: the text is cut at blanks and only tokens of letters and digits alone are kept; a Thai vowel or tone mark is neither, so of an ordinary Thai text no token is left, and nothing always hashes to the same value. Burmese and Hindi words with marks vanish too. Chinese is cut at its punctuation, so one other word makes a clause wholly different; Vietnamese is as guessed.
# Lost by the guess: near-duplicate removal by fingerprint keeps the first Thai article of the day and throws all others away.
# Source: trafilatura/deduplication.py (sample_tokens), seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'trafilatura==2.3.1' 'lxml_html_clean==0.4.6'
"$dir/v/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from trafilatura.deduplication import Simhash, content_fingerprint, sample_tokens

print("trafilatura", version("trafilatura"))
PAIRS = {
    "Thai": ("ลูกค้าร้องเรียนว่าโฆษณาหลอกลวงบนแอปทำให้เสียเงินหลายหมื่นบาท และไม่มีใครรับผิดชอบ",
             "กรมอุตุนิยมวิทยาเตือนฝนตกหนักทางภาคใต้ในวันพรุ่งนี้ ขอให้ประชาชนระวังน้ำท่วมฉับพลัน"),
    "Chinese": ("两百多名商家表示，他们的广告账户在一夜之间被扣款两次，客服至今没有回复。",
                "国家队集训备战，教练说年轻球员进步很大，周末将有两场热身赛。"),
    "Vietnamese": ("Hơn hai trăm người bán hàng cho biết tài khoản quảng cáo của họ bị trừ tiền hai lần",
                   "Đội tuyển quốc gia tập trung chuẩn bị cho trận đấu cuối tuần này tại Hà Nội"),
}
alike = {}
for language, (one, other) in PAIRS.items():
    prints = content_fingerprint(one), content_fingerprint(other)
    alike[language] = Simhash(one).similarity(Simhash(other))
    print(f"{language:11} tokens {len(sample_tokens(one)):3} fingerprints {prints} similarity {alike[language]:.2f}")
print("guessed: two values in each line, similarity near .5")
assert alike["Thai"] == 1.0 and content_fingerprint(PAIRS["Thai"][0]) == "ffffffffffffffff", "behaviour has changed"
assert sample_tokens(PAIRS["Thai"][0]) == [], "behaviour has changed"
assert max(alike["Chinese"], alike["Vietnamese"]) < 0.7, "behaviour has changed"
PY
