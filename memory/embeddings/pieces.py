"""The tokenizer of multilingual-e5-small, over all of its pieces or only those in Latin and Cyrillic script."""

import unicodedata
from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from memory.embeddings.weights import Weights

MAX_TOKENS = 512
_SCRIPTS = ("LATIN", "CYRILLIC")


def kept_pieces(weights: Weights, *, all_scripts: bool) -> list[int]:
    """The ids of the pieces to keep, in order.

    Half of the vocabulary is other scripts. Without it the process is 180 MB smaller, and English and Russian get
    the very same vectors; signs, digits and emoji stay.
    """
    special = {weights.shape.begin, weights.shape.end, weights.shape.pad, weights.shape.unknown}
    return [
        number
        for number, (piece, _) in enumerate(weights.pieces)
        if all_scripts or number in special or all(_is_ours(character) for character in piece)
    ]


def _is_ours(character: str) -> bool:
    return not character.isalpha() or unicodedata.name(character, "").startswith(_SCRIPTS)


def build_tokenizer(weights: Weights, kept: Sequence[int]) -> Tokenizer:
    """A tokenizer whose ids count the kept pieces."""
    number_of = {old: new for new, old in enumerate(kept)}
    pieces = [weights.pieces[old] for old in kept]
    begin, end = number_of[weights.shape.begin], number_of[weights.shape.end]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=number_of[weights.shape.unknown]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{pieces[begin][0]} $A {pieces[end][0]}",
        special_tokens=[(pieces[begin][0], begin), (pieces[end][0], end)],
    )
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer
