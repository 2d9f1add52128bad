#!/usr/bin/env bash
# lingua says Swahili of "TikTok Shop 退款" and of "TikTok Shop โกง", Spanish of "Lazada Seller Center 卡住了", Danish of "Facebook Ads lừa đảo": a brand of two words outvotes the only words of the language.
# Versions: lingua-language-detector 2.1.1.
# A good engineer guesses: Chinese and Thai letters can be nothing else, so the rule-based step that lingua is known for finds them; at worst English wins.
# What happens: each word has one vote for its script, and a Chinese or Thai phrase without blanks is one word (or as many as its letters, in Chinese); Latin script then goes to n-grams over all Latin languages, to which the brand is noise. One more letter, 不退款, and it is Chinese with certainty 1.
# Lost by the guess: short complaints about a named product, the commonest kind, go to a language that nobody reads; what follows by language (stop words, lexicon, desk) is wrong.
# Source: seen by running it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q 'lingua-language-detector==2.1.1'
"$dir/v/bin/python" - <<'PY'
from importlib.metadata import version

from lingua import Language, LanguageDetectorBuilder

print("lingua-language-detector", version("lingua-language-detector"))
TEXTS = ("TikTok Shop 退款", "TikTok Shop 不退款", "TikTok Shop โกง", "Lazada Seller Center 卡住了", "Facebook Ads lừa đảo",
         "退款", "โกง", "lừa đảo")
every = LanguageDetectorBuilder.from_all_languages().build()
few = LanguageDetectorBuilder.from_languages(
    Language.ENGLISH, Language.CHINESE, Language.THAI, Language.MALAY, Language.INDONESIAN, Language.VIETNAMESE
).build()
seen = {text: (every.detect_language_of(text).name, few.detect_language_of(text).name) for text in TEXTS}
guess = ["CHINESE", "CHINESE", "THAI", "CHINESE", "VIETNAMESE", "CHINESE", "THAI", "VIETNAMESE"]
for text, guessed in zip(TEXTS, guess):
    print(f"{text:28} seen {seen[text][0]}, of six languages {seen[text][1]}   guessed {guessed}")
assert [seen[text][0] for text in TEXTS] == ["SWAHILI", "CHINESE", "SWAHILI", "SPANISH", "DANISH", *guess[5:]], "behaviour has changed"
assert seen["TikTok Shop โกง"][1] == seen["TikTok Shop 退款"][1] == "MALAY", "behaviour has changed"
PY
