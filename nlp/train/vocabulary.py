"""Which of XLM-R's 250,002 pieces are kept, and the tokenizer that speaks them.

A piece that is dropped is spelled with shorter ones, so nothing becomes unreadable as long as the single characters of
our scripts stay. Every piece kept costs 216 bytes in the shipped file.
"""

from __future__ import annotations

import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from groundswell.nlp.train.pretrained import Pretrained

SPECIAL = 4
"""``<s> <pad> </s> <unk>`` keep their places; the mask, XLM-R's last piece, is not needed."""
SCRIPTS = ("LATIN", "CJK", "THAI", "ARABIC", "DEVANAGARI", "HIRAGANA", "KATAKANA", "DIGIT", "FULLWIDTH")
PREFIX = "query: "
"""What multilingual-e5 was trained to see before a text that is compared with others of its kind."""


def count_pieces(texts: Iterable[str], tokenizer: Any) -> Counter[int]:
    """Count the pieces of `texts`, by id in the full vocabulary."""
    counts: Counter[int] = Counter()
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == 4096:
            counts.update(n for e in tokenizer.encode_batch(batch, add_special_tokens=False) for n in e.ids)
            batch = []
    counts.update(n for e in tokenizer.encode_batch(batch, add_special_tokens=False) for n in e.ids)
    return counts


def choose_pieces(pretrained: Pretrained, counts: Counter[int], size: int) -> list[int]:
    """Return the ids to keep, ascending: the specials, single characters of our scripts, then the most seen.

    Pieces seen equally often (above all: never) follow XLM-R's own order, which is by frequency on the web.
    """
    chosen = set(range(SPECIAL))
    chosen.update(n for n, (piece, _) in enumerate(pretrained.pieces) if n >= SPECIAL and _single(piece))
    ordinary = range(SPECIAL, len(pretrained.pieces) - 1)
    ranked = sorted(ordinary, key=lambda n: (-counts[n], n))
    readable = (n for n in ranked if counts[n] > 1 or _ours(pretrained.pieces[n][0]))
    for n in readable:
        if len(chosen) >= size:
            break
        chosen.add(n)
    return sorted(chosen)


def _single(piece: str) -> bool:
    bare = piece.removeprefix("▁")
    return len(bare) <= 1 and (_ours(bare) or not bare.isalpha())


def _ours(piece: str) -> bool:
    bare = piece.removeprefix("▁")
    return all(unicodedata.name(c, "").startswith(SCRIPTS) for c in bare if c.isalnum())


def make_tokenizer(pretrained: Pretrained, chosen: Sequence[int] | None = None) -> Any:
    """Return a `tokenizers.Tokenizer` over the kept pieces (default: all) that wraps a text as ``<s> … </s>``."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    ids = range(len(pretrained.pieces)) if chosen is None else chosen
    vocabulary = [pretrained.pieces[n] for n in ids]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=pretrained.unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(_nmt_nfkc()), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", pretrained.begin), ("</s>", pretrained.end)]
    )
    return tokenizer


def _nmt_nfkc() -> bytes:
    """Return SentencePiece's ``nmt_nfkc`` table, which XLM-R was trained with, from a throw-away model it makes."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    with tempfile.TemporaryDirectory() as folder:
        corpus, prefix = Path(folder, "tiny.txt"), Path(folder, "tiny")
        corpus.write_text("\n".join(f"hello world this is a tiny corpus {n}" for n in range(200)), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus),
            model_prefix=str(prefix),
            vocab_size=60,
            hard_vocab_limit=False,
            normalization_rule_name="nmt_nfkc",
            minloglevel=2,
        )
        model = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]  # protobuf makes it at run time
        model.ParseFromString(prefix.with_suffix(".model").read_bytes())
    return bytes(model.normalizer_spec.precompiled_charsmap)
