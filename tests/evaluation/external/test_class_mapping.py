from pathlib import Path

import pytest

from phytoflow.errors import ConfigError, DataError
from phytoflow.evaluation.external.class_mapping import map_classes

CLASSES = ("Apple___Black_rot", "Apple___healthy", "Äpfel")


def mapping(folder: Path, text: str) -> str:
    (folder / "classes.csv").write_text(text, encoding="utf-8")
    return str(folder / "classes.csv")


def test_names_match_whatever_their_case_and_underscores() -> None:
    found = map_classes(["apple black-rot", "Apple___healthy", "ÄPFEL", "soil"], CLASSES)
    assert found.classes == {
        "apple black-rot": "Apple___Black_rot",
        "Apple___healthy": "Apple___healthy",
        "ÄPFEL": "Äpfel",
    }
    assert found.left_out == ("soil",)


def test_a_file_says_what_names_do_not(tmp_path: Path) -> None:
    file = mapping(tmp_path, "folder,class,note\nfrogeye,Apple___Black_rot,x\nÄpfel,,left out\n")
    found = map_classes(["frogeye", "Äpfel", "apple_healthy"], CLASSES, file)
    assert found.classes == {"frogeye": "Apple___Black_rot", "apple_healthy": "Apple___healthy"}
    assert found.left_out == ("Äpfel",)


def test_no_match_at_all_is_refused_with_both_sides_names() -> None:
    with pytest.raises(DataError, match=r"\(cat, dog\).*\(Apple___Black_rot") as refused:
        map_classes(["cat", "dog"], CLASSES)
    assert "evaluation.external_class_map" in refused.value.remedy


def test_a_folder_that_could_be_two_classes_is_refused() -> None:
    with pytest.raises(DataError, match=r"'AB' of evaluation\.external_data matches 'a b' and 'a_b'"):
        map_classes(["AB"], ["a b", "a_b"])
    assert map_classes(["a_b"], ["a b", "a_b"]).classes == {"a_b": "a_b"}


def test_names_without_letters_are_compared_as_they_are() -> None:
    with pytest.raises(DataError):
        map_classes(["--"], ["++"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("folder;class\nsoil;Äpfel\n", "no columns folder and class"),
        ("", "no columns folder and class"),
        ("folder,class\nsoli,Äpfel\n", "'soil'"),
        ("folder,class\nsoil,Apfel\n", "'Äpfel'"),
        ("folder,class\nsoil,Äpfel\nsoil,Apple___healthy\n", "two classes"),
    ],
)
def test_a_wrong_file_is_refused_by_name(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        map_classes(["soil", "Äpfel"], CLASSES, mapping(tmp_path, text))
    assert words in str(refused.value)
    assert "classes.csv" in str(refused.value)


def test_a_file_that_is_not_there_or_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("folder,class\nsoil,Äpfel\n".encode("latin-1"))
    for name in ("none.csv", "latin.csv"):
        with pytest.raises(ConfigError, match=name):
            map_classes(["soil"], CLASSES, str(tmp_path / name))
