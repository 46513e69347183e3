"""Kernel text is hostile data: any unprivileged user picks file and process names.

Every byte that came from the kernel passes through here before a widget, a toast, the clipboard or a script sees
it: ESC, C0 and C1 controls, newlines, bidirectional marks and bytes that are no UTF-8 become visible escapes.
(Textual's own widgets pass ESC and C1 on; an OSC 52 in a file name changed a terminal's clipboard: measured.)
"""

from __future__ import annotations

import re

# C0, DEL, C1; line and paragraph separators; bidi embeddings, overrides, isolates and marks; zero-width and
# other invisible format characters, tags; surrogates stand for bytes that were no UTF-8 (surrogateescape).
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def neutralise(text: str | bytes) -> str:
    """``text`` with every unsafe character as a visible escape: ``\\x1b``, ``\\n``, ``\\u202e``, ``\\xff``.

    Bytes are read as UTF-8 with surrogateescape. Idempotent; printable text comes back unchanged.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return _UNSAFE.sub(_escape, text)


def decode(data: bytes) -> str:
    """Kernel bytes as text that loses nothing: non-UTF-8 bytes become U+DC80 to U+DCFF."""
    return data.decode("utf-8", "surrogateescape")
