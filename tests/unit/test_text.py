"""Text from outside is shown and never acts."""

from __future__ import annotations

import unicodedata
from io import StringIO

from rich.table import Table

from ingest.text import Console, visible

DIRECTION = {"ALM", "LRM", "RLM", "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


def acts(character: str) -> bool:
    """Whether a character does something instead of being seen, by the Unicode database."""
    category, turns = unicodedata.category(character), unicodedata.bidirectional(character)
    noncharacter = ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    marks = turns in DIRECTION or character in "\u061c\u200e\u200f"
    return category in ("Cc", "Cs", "Zl", "Zp") or noncharacter or marks


def test_of_all_characters_those_that_act_are_written_out_and_the_others_stay() -> None:
    for code in range(0x110000):
        character = chr(code)
        if acts(character) and character != "\n":
            assert visible(f"a{character}b").encode().isascii(), hex(code)
            assert eval(f"'{visible(character)}'") == character
        else:
            assert visible(character) == character, hex(code)


def test_nothing_that_is_printed_acts_on_a_terminal() -> None:
    hostile = "".join(filter(acts, map(chr, range(0x10000)))).replace("\n", "")
    file = StringIO()
    console = Console(file=file, force_terminal=False, width=200_000)
    table = Table(hostile, title=hostile, caption=hostile)
    table.add_row(hostile)
    for text in (hostile, table):
        console.print(text, highlight=False, markup=False)
    assert file.getvalue().count("\\x1b") == 5
    assert not [character for character in file.getvalue() if acts(character) and character != "\n"]
