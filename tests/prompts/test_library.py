"""Prompts render strictly, and their text is locked to their version."""

import pytest

from prompts import library


def test_every_prompt_has_the_text_that_its_version_was_locked_with() -> None:
    assert library.violations(library.locked()) == []


def test_a_text_that_changed_without_a_new_version_is_reported() -> None:
    lock = library.locked() | {("inbox/draft", library.load("inbox/draft").version): "0" * 64}

    assert "inbox/draft@" in library.violations(lock)[0]


def test_a_version_that_nobody_locked_is_reported() -> None:
    assert len(library.violations({})) == len(library.names())


def test_an_input_that_the_prompt_does_not_name_is_refused() -> None:
    prompt = library.load("inbox/repair")

    with pytest.raises(library.PromptError, match="takes"):
        prompt.render(problem="no JSON", extra="x")


def test_a_missing_input_is_refused() -> None:
    with pytest.raises(library.PromptError, match="takes"):
        library.load("inbox/repair").render()


@pytest.mark.parametrize("name", library.names())
def test_every_prompt_renders_with_its_own_inputs(name: str) -> None:
    prompt = library.load(name)

    text = prompt.render(**{key: f"<{key}>" for key in prompt.inputs})

    assert all(f"<{key}>" in text for key in prompt.inputs)
    assert "{{" not in text
    assert "{%" not in text


def test_a_prompt_that_does_not_exist_is_named() -> None:
    with pytest.raises(library.PromptError, match="inbox/nothing"):
        library.load("inbox/nothing")
