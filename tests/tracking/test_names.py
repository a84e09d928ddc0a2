import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoflow.tracking.names import key_name, model_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fold 1/train/loss", "fold 1/train/loss"),
        ("test.per_class.Löwenzahn.f1", "test.per_class.Löwenzahn.f1"),
        ("a#b", "a:23:b"),
        ("a:23:b", "a:3a:23:3a:b"),
        ("a//b", "a:2f::2f:b"),
        ("../a", ":2e::2e::2f:a"),
    ],
)
def test_names_stay_readable(text: str, name: str) -> None:
    assert key_name(text) == name


def test_a_slash_in_a_class_name_makes_no_group() -> None:
    assert key_name("test.per_class.a/b.f1", groups=False) == "test.per_class.a:2f:b.f1"


@settings(deadline=None)
@given(st.lists(st.text(min_size=1), min_size=2, max_size=20, unique=True))
def test_mlflow_accepts_every_name_and_none_collide(texts: list[str]) -> None:
    from mlflow.utils.validation import _validate_metric_name

    names = [key_name(text) for text in texts]
    assert len(set(names)) == len(names)
    for name in names:
        _validate_metric_name(name)
        assert 0 < len(name) <= 250


def test_long_names_with_the_same_beginning_are_told_apart() -> None:
    one, two = key_name("x" * 300), key_name("x" * 300 + "y")
    assert one != two and len(one) == len(two) == 250


@pytest.mark.parametrize("text", ["vit_tiny.augreg", "a/b:c%", "...", "健康"])
def test_model_names_are_those_that_mlflow_accepts(text: str) -> None:
    from mlflow.utils.validation import _validate_logged_model_name

    _validate_logged_model_name(model_name(text))
