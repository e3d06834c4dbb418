"""What the documents tell people to type exists: sessions, options, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer import Typer
from typer.main import get_command

from ingest.sources.releases import RELEASES
from pipeline.__main__ import app
from tests.bench.__main__ import main as bench

BENCH = Typer()
BENCH.command()(bench)
ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
COMMAND = re.compile(r"nox -s ((?:[a-z]+(?:-[a-z]+)* ?)+)(?:-- ([^`#\n]*))?")
# Options that a session takes itself.
OF_SESSIONS = {"--bootstrap", "--dry-run", "--real"}


def commands() -> list[tuple[str, str, str]]:
    """The nox commands of all documents: document, session, and what it is given."""
    found = []
    for document in DOCUMENTS:
        for sessions, given in COMMAND.findall((ROOT / document).read_text(encoding="utf-8")):
            found += [(document, session, given or "") for session in sessions.split()]
    return found


def test_the_documents_name_enough_commands_to_be_worth_checking() -> None:
    assert len(commands()) > 20


@pytest.mark.parametrize(("document", "session", "given"), commands())
def test_every_command_that_a_document_names_is_there(document: str, session: str, given: str) -> None:
    assert re.search(rf"^def {session.replace('-', '_')}\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE), (
        session
    )
    options = set(re.findall(r"--[a-z-]+", given)) - OF_SESSIONS
    if options:
        command = get_command(BENCH) if session == "bench" else get_command(app).commands[session]
        known = {name for parameter in command.params for name in parameter.opts}
        assert options <= known


def test_readme_names_every_release() -> None:
    assert [name for name in RELEASES if f"`{name}`" not in (ROOT / "README.md").read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_heading_that_a_document_links_is_there(document: str) -> None:
    for path, anchor in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", (ROOT / document).read_text(encoding="utf-8")):
        linked = (ROOT / document).parent / path if path else ROOT / document
        headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_is_there(document: str) -> None:
    # But for the files that a page has its reader write: their names stand right above what goes into them.
    text = re.sub(r"^`.+:\n```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.MULTILINE)
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    named = re.findall(r"`((?:transform|tests|pipeline|profiles|ingest|expectations)/[\w/.-]+)`", text)
    linked = {str(Path(document).parent / path) for path in linked}
    assert [path for path in {*linked, *named} if not (ROOT / path).exists()] == []
