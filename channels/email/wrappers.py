"""The elements by which mail programs mark what their user did not write: quotes, originals, signatures."""

import re

from selectolax.lexbor import LexborNode

_STYLE_CHARS = 500
_ORIGINAL_STARTS = re.compile(
    r"(?:x_|m_-?\d+)*(?:divRplyFwdMsg|ms-outlook-mobile-reference-message|mail-editor-reference-message-container"
    r"|OLK_SRC_BODY_SECTION|messageReplySection|isReplyContent)"
)
# The line that Outlook draws above From and Sent, in the Word forms of several years.
_RULED = re.compile(
    r"(?:border-top:solid|border-style:solidnonenone).*padding:3(?:\.0)?pt0|padding:3(?:\.0)?pt0.*solidnonenone"
)
_QUOTE_CLASSES = re.compile(
    r"(?:yahoo_quoted|zmail_extra|protonmail_quote|moz-cite-prefix|mail-quote-collapse|tutanota_quote|mail-app-auto-quote)"
)
_SIGNATURES = re.compile(
    r"(?:x_|m_-?\d+)*(?:gmail_signature|gmail_signature_prefix|moz-signature|signature|applemailsignature|"
    r"ms-outlook-(?:mobile|ios|android)-signature|ms-outlook-mobile-body-signature|"
    r"protonmail_signature_block|composer_signature|mail-app-auto-signature|messagesignaturesection|mobile-signature)",
    re.IGNORECASE,
)
# iOS puts its signature between this mark and the quote.
_SIGNATURE_FOLLOWS = re.compile(r"(?:x_|m_-?\d+)*lineBreakAtBeginningOfSignature")


def is_quote(node: LexborNode, tag: str) -> bool:
    """Whether an element holds what its writer received. Gmail's wrapper is none: answers are written inside it."""
    if _QUOTE_CLASSES.search(_names(node)):
        return True
    return tag == "blockquote" and not is_indent(node, tag) and not _is_gmail_indent(node)


def is_indent(node: LexborNode, tag: str) -> bool:
    """Whether a blockquote says nothing of where its text is from."""
    attributes = node.attributes
    says_more = any(attributes.get(name) for name in ("type", "cite", "class", "id"))
    return tag == "blockquote" and not says_more and "border" not in _style(node)


def _is_gmail_indent(node: LexborNode) -> bool:
    style = _style(node)
    return "margin:00040px" in style or "border:none" in style


def starts_original(node: LexborNode) -> bool:
    """Whether everything from an element on was received: programs put the original there and nothing after it."""
    return bool(_RULED.search(_style(node))) or any(
        _ORIGINAL_STARTS.fullmatch(name) for name in _names(node).split()
    )


def is_signature(node: LexborNode) -> bool:
    attributes = node.attributes
    if attributes.get("data-smartmail") == "gmail_signature" or "data-signature-widget" in attributes:
        return True
    return any(_SIGNATURES.fullmatch(name) for name in _names(node).split())


def announces_signature(node: LexborNode) -> bool:
    """Whether what comes before the next quote is the signature, as on iOS."""
    return bool(_SIGNATURE_FOLLOWS.fullmatch(node.attributes.get("id") or ""))


def _style(node: LexborNode) -> str:
    return "".join((node.attributes.get("style") or "")[:_STYLE_CHARS].lower().split())


def _names(node: LexborNode) -> str:
    attributes = node.attributes
    return f"{attributes.get('id') or ''} {attributes.get('class') or ''} {attributes.get('name') or ''}"
