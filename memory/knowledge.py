"""The organization's own documents as agents find them: how a place in one is called."""


def citation(name: str, *, page: int | None, heading: tuple[str, ...], number: int) -> str:
    """`Price list.pdf, page 2`, `FAQ.md, Does it work offline?` or `notes.txt, line 12`: the first that is known."""
    if page is not None:
        return f"{name}, page {page}"
    return f"{name}, {heading[-1]}" if heading else f"{name}, line {number}"
