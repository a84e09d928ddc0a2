import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoflow.data.ingest.file_names import for_terminal, is_hidden, is_photo_name, name_some, printable


@pytest.mark.parametrize(
    "name", [".git", "._1.jpg", "Thumbs.db", "THUMBS.DB", "desktop.ini", "__MACOSX", "@eaDir", "$RECYCLE.BIN"]
)
def test_hidden_and_system_names(name: str) -> None:
    assert is_hidden(name)


@pytest.mark.parametrize("name", ["1.jpg", "thumbs", "rust", "_a.jpg", "macosx"])
def test_other_names_are_not_hidden(name: str) -> None:
    assert not is_hidden(name)


@pytest.mark.parametrize("name", ["a.JPG", "a.jfif", "a.heic", "a.cr2", "x.tar.png"])
def test_names_of_pictures_also_of_formats_that_cannot_be_read(name: str) -> None:
    assert is_photo_name(name)


@pytest.mark.parametrize("name", ["notes.txt", "a", ".jpg", "labels.csv", "a.mov", "a.jpg.zip"])
def test_names_of_other_files(name: str) -> None:
    assert not is_photo_name(name)


_NAMES = st.binary(min_size=1, max_size=12).filter(lambda raw: b"/" not in raw and b"\0" not in raw)


@given(_NAMES | st.lists(st.sampled_from([b"\\", b"x", b"e4", b"\xe4", b"a"])).map(b"".join), _NAMES)
def test_every_name_is_printable_and_two_names_are_two_texts(one: bytes, two: bytes) -> None:
    texts = [printable(os.fsdecode(name)) for name in (one, two)]
    for text in texts:
        text.encode("utf-8")
    assert (texts[0] == texts[1]) == (one == two)


def test_an_ordinary_name_is_itself() -> None:
    for name in ("Löwenzahn 🌿.jpg", r"a\b.jpg", "a b'\"<&>.png"):
        assert printable(name) == name


def test_nothing_in_a_name_moves_the_cursor_or_starts_a_line() -> None:
    assert for_terminal("a\nb\x1b[2J\u202ec.jpg") == r"a\nb\x1b[2J\u202ec.jpg"
    assert for_terminal("健康 🌿") == "健康 🌿"


def test_some_names() -> None:
    assert name_some("abc") == "a, b, c"
    assert name_some("abcdefgh", 2) == "a, b and 6 more"
