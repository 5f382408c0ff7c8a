"""How long a text is for a language model, before any model has counted."""


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: four Latin letters make one, other scripts need twice as many."""
    latin = sum(character < "\u0250" for character in text)
    return -(-latin // 4) + -(-(len(text) - latin) // 2)
