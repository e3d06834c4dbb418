"""Text that comes from outside (data, files, names), before a person sees it on a terminal or on a page."""

from __future__ import annotations

import re
import sys
from typing import Any

from rich.console import Console as RichConsole
from rich.text import Text

_PLANES = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f"  # controls: escape sequences for a terminal, no text for a page
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line separators, and marks that turn the direction of what follows
    f"\ud800-\udfff\ufdd0-\ufdef{_PLANES}"  # halves of characters, and what is none: no page or chart may hold them
)
_ACTS = re.compile(f"(?!\n)[{_HIDDEN}]")


def visible(text: str) -> str:
    r"""The text with control characters written out, such as `\x1b`, so that none takes effect; line breaks stay."""
    return _ACTS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def cell(text: str) -> str:
    """A text for a cell of a spreadsheet: visible, and never a formula."""
    return f"'{visible(text)}" if text.startswith(("=", "+", "-", "@")) else visible(text)


class Console(RichConsole):
    """A console that shows control characters in a text instead of obeying them; Rich's own styles work."""

    def __init__(self, **options: Any) -> None:
        stream = options.get("file") or (sys.stderr if options.get("stderr") else sys.stdout)
        # Whatever FORCE_COLOR says: a spinner in a log file is 200 erasures.
        super().__init__(**{"force_terminal": None if stream.isatty() else False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """Every string that is printed, alone or in a table, comes through here."""
        return super().render_str(visible(text), **options)
