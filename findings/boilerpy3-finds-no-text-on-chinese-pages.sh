#!/usr/bin/env bash
# boilerpy3 (ArticleExtractor, DefaultExtractor) takes a whole Chinese article for boilerplate and answers an empty text; Thai, which has no blanks either, is read.
# Versions: boilerpy3 1.0.7.
# A good engineer guesses: both unspaced scripts work, or neither does: the algorithm counts words of a block.
# What happens: a word is a run of \w, so a Chinese paragraph is as many words as it has commas, far under the limit of a content block. Thai is saved by accident: its vowel and tone marks are no \w, so every word falls into many.
# Lost by the guess: who tries it with Thai first believes it safe; Chinese sources are empty pages, not an error.
# Source: boilerpy3/parser.py, seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'boilerpy3==1.0.7'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

from boilerpy3 import extractors

print("boilerpy3", version("boilerpy3"))
STORIES = {
    "Chinese": ["两百多名商家表示，他们的广告账户在一夜之间被扣款两次，客服至今没有回复，平台也没有给出任何解释。",
                "在批发市场经营服装的李女士说，她的账户在凌晨被扣走一万五千元，却没有收到任何通知，非常着急。",
                "她先后拨打了九次客服电话，每次都被转到不同的部门，最后一次等了四十分钟，电话被直接挂断。",
                "平台方面回应称，系统对账出现错误，退款将在月底之前完成，并向受到影响的商家表示歉意。"] * 3,
    "Thai": ["ผู้ขายกว่าสองร้อยรายระบุว่าบัญชีโฆษณาถูกหักเงินสองครั้งในคืนเดียว และยังไม่มีใครตอบกลับ",
             "คุณสมหญิงเจ้าของร้านเสื้อผ้าเล่าว่าเงินหนึ่งหมื่นห้าพันบาทหายไปตอนเที่ยงคืนโดยไม่มีการแจ้งเตือน",
             "เธอโทรหาฝ่ายบริการลูกค้าเก้าครั้งและถูกโอนสายไปแผนกอื่นทุกครั้งจนสายหลุดไปในที่สุด",
             "แพลตฟอร์มชี้แจงว่าเป็นความผิดพลาดของระบบบัญชีและจะคืนเงินทั้งหมดภายในสิ้นเดือนนี้"],
    "English": ["More than two hundred sellers say their ad accounts were charged twice in one night, and nobody has answered.",
                "Ms Li, who sells clothes at the market, says that fifteen thousand were taken from her account at dawn.",
                "She called the help desk nine times, and each time she was handed on to another department of the firm.",
                "The platform answered that its books had been wrong and that refunds would come by the end of the month."],
}
sizes = {}
for language, paragraphs in STORIES.items():
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    page = f"<html><head><title>t</title></head><body><p><a href='/'>x</a></p><div>{body}</div></body></html>"
    sizes[language] = [
        len(extractor(raise_on_failure=False).get_content(page))
        for extractor in (extractors.ArticleExtractor, extractors.DefaultExtractor)
    ]
    print(f"{language:8} written {len(''.join(paragraphs)):4} letters, seen {sizes[language]}, guessed about as many")
assert sizes["Chinese"] == [0, 0], "behaviour has changed"
assert min(sizes["Thai"]) > 200 and min(sizes["English"]) > 300, "behaviour has changed"
PY
