"""What of an HTML mail a person can see: styles that hide text, so that hidden words are never read to an agent."""

import re
from dataclasses import dataclass, field, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

_BRACE = re.compile(r"@media\b|[{}]")
_SIMPLE_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]*)?[.#]?[\w-]+", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d*\.?\d+")
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})\b")
_RGB = re.compile(r"rgba?\(([^)]{1,60})\)")
_NAMED = {"white": (255, 255, 255), "black": (0, 0, 0), "snow": (255, 250, 250), "ivory": (255, 255, 240)}
_PAGE = (255, 255, 255)
_NEARLY_SAME = 24
_SMALLEST_READABLE_PX = 2.0
_SHEET_LIMIT = 200_000

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Sheet:
    """Declarations of the document's own style sheet by simple selector; media queries are left out."""

    rules: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: LexborHTMLParser) -> "Sheet":
        css = " ".join(node.text() or "" for node in tree.css("style"))[:_SHEET_LIMIT]
        rules: dict[str, str] = {}
        for rule in _without_media(_without_comments(css)).split("}"):
            selectors, _, body = rule.rpartition("{")
            for selector in selectors.split(","):
                name = selector.strip().lower()
                if _SIMPLE_SELECTOR.fullmatch(name):
                    rules[name] = f"{rules.get(name, '')};{body}"
        return cls(rules)

    def declarations(self, node: LexborNode) -> dict[str, str]:
        """What applies to an element, its own style last."""
        attributes = node.attributes
        tag = (node.tag or "").lower()
        names = [f".{name}" for name in (attributes.get("class") or "").lower().split()[:20]]
        if attributes.get("id"):
            names.append(f"#{attributes['id']}".lower())
        texts = [self.rules.get(tag, "")] if self.rules else []
        for name in names if self.rules else []:
            texts += [self.rules.get(name, ""), self.rules.get(tag + name, "")]
        found = _declarations(";".join([*texts, attributes.get("style") or ""]))
        if attributes.get("bgcolor"):
            found.setdefault("background-color", str(attributes["bgcolor"]).lower())
        if tag == "font" and attributes.get("color"):
            found.setdefault("color", str(attributes["color"]).lower())
        return found


def _without_comments(css: str) -> str:
    first, *others = css.split("/*")
    return first + "".join(other.partition("*/")[2] for other in others)


def _without_media(css: str) -> str:
    """Cut @media blocks, which speak of other screens."""
    kept: list[str] = []
    depth = inside = start = 0
    for match in _BRACE.finditer(css):
        if match.group() == "{":
            depth += 1
        elif match.group() == "}":
            depth = max(0, depth - 1)
            if inside and depth < inside:
                inside, start = 0, match.end()
        elif not inside:
            kept.append(css[start : match.start()])
            inside = depth + 1
    return "".join(kept) if inside else "".join([*kept, css[start:]])


def _declarations(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for piece in text.lower().split(";")[:200]:
        name, colon, value = piece.partition(":")
        if colon:
            found[name.strip()] = value.replace("!important", "").strip()
    return found


@dataclass(frozen=True)
class Look:
    """How text looks at one place of the document. What `is_hidden` hides, nothing inside can show again."""

    color: Color = (0, 0, 0)
    background: Color = _PAGE
    has_picture: bool = False
    is_tiny: bool = False
    is_transparent: bool = False
    is_hidden: bool = False

    @property
    def can_be_read(self) -> bool:
        """Whether text put right here is seen; an element inside may have another size or color."""
        is_same = not self.has_picture and _are_same(self.color, self.background)
        return not (self.is_hidden or self.is_tiny or self.is_transparent or is_same)

    def inside(self, node: LexborNode, sheet: Sheet) -> "Look":
        """The look inside an element."""
        style = sheet.declarations(node)
        if "hidden" in node.attributes or _hides(style):
            return replace(self, is_hidden=True)
        if not style:
            return self
        painted = f"{style.get('background-color', '')} {style.get('background', '')}"
        background = _color(painted)
        is_tiny = (
            _is_near_zero(style["font-size"], _SMALLEST_READABLE_PX) if "font-size" in style else self.is_tiny
        )
        ink = style.get("color", "")
        return Look(
            color=_color(ink) or ((0, 0, 0) if ink else self.color),
            background=background or self.background,
            has_picture="url(" in painted + style.get("background-image", "")
            or (self.has_picture and not background),
            is_tiny=is_tiny,
            is_transparent=_is_transparent(ink) if ink else self.is_transparent,
        )


def _hides(style: dict[str, str]) -> bool:
    return (
        style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or style.get("mso-hide") == "all"
        or _is_near_zero(style.get("opacity"), 0.05)
        or ("hidden" in style.get("overflow", "") and _is_flat(style))
        or _is_far_off(style)
    )


def _is_near_zero(value: str | None, limit: float) -> bool:
    match = _NUMBER.match(value or "")
    if not match:
        return False
    number = float(match.group())
    unit = (value or "")[match.end() :].strip()
    # em, rem and % are shares of a readable size
    scale = {"em": 16.0, "rem": 16.0, "%": 0.16}.get(unit, 1.0) if limit > 1 else {"%": 0.01}.get(unit, 1.0)
    return number * scale < limit


def _is_flat(style: dict[str, str]) -> bool:
    names = ("height", "max-height", "width", "max-width")
    return any(_is_near_zero(style.get(name), _SMALLEST_READABLE_PX) for name in names)


def _is_far_off(style: dict[str, str]) -> bool:
    """Moved out of the window, or clipped to nothing."""
    moved = [
        style.get(name, "") for name in ("left", "top", "right", "text-indent", "margin-left", "margin-top")
    ]
    if any((match := _NUMBER.match(value)) and float(match.group()) <= -500 for value in moved):
        return True
    return style.get("clip", "").replace(" ", "").replace("px", "") in (
        "rect(0,0,0,0)",
        "rect(0000)",
        "rect(1,1,1,1)",
    )


def _color(value: str) -> Color | None:
    if match := _HEX.search(value):
        digits = match.group(1)
        digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := _RGB.search(value):
        numbers = [int(float(number)) for number in _NUMBER.findall(match.group(1))[:3]]
        return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else None
    return next((color for name, color in _NAMED.items() if re.search(rf"\b{name}\b", value)), None)


def _is_transparent(value: str) -> bool:
    match = _RGB.search(value)
    numbers = _NUMBER.findall(match.group(1)) if match else []
    return value == "transparent" or (len(numbers) == 4 and float(numbers[3]) < 0.05)


def _are_same(color: Color, background: Color) -> bool:
    return all(abs(one - other) <= _NEARLY_SAME for one, other in zip(color, background, strict=True))
