import pandas as pd
import pytest

from phytoflow.data.ingest.predefined_split import exclude_leaks, use_parts
from phytoflow.data.settings import DataSettings
from phytoflow.errors import DataError

SETTINGS = DataSettings()


def table_of(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """One photo a row: part, label, group."""
    table = pd.DataFrame(rows, columns=["part", "label", "group"])
    table["path"] = [f"{part}/{label}/{at}.jpg" for at, (part, label, _) in enumerate(rows)]
    return table.assign(reason="")


def part(name: str, groups: int, first: int = 0) -> list[tuple[str, str, str]]:
    return [(name, label, f"{label}{first + at}") for label in "ab" for at in range(groups)]


def test_the_test_part_is_never_touched_and_validation_comes_before_training() -> None:
    rows = [*part("train", 4), *part("validation", 3, 10), *part("test", 3, 20)]
    rows += [("train", "a", "a20"), ("validation", "a", "a20"), ("train", "b", "b11"), ("train", "a", "a0")]
    excluded = exclude_leaks(table_of(*rows))
    leaks = excluded[excluded["reason"] != ""]
    assert leaks["reason"].to_dict() == {
        20: "shows the same as test/a/14.jpg",
        21: "shows the same as test/a/14.jpg",
        22: "shows the same as validation/b/12.jpg",
    }


def test_photos_that_are_not_used_leak_nothing() -> None:
    table = table_of(*part("train", 3), *part("test", 3, 10), ("test", "a", "a0"))
    table.loc[len(table) - 1, "reason"] = "truncated"
    assert (exclude_leaks(table)["reason"] != "").sum() == 1


def test_a_split_of_which_nothing_is_left_is_refused_with_the_remedy() -> None:
    with pytest.raises(DataError, match=r"without the 2 photos .* none left of a in train") as refusal:
        exclude_leaks(
            table_of(*part("test", 2), ("train", "a", "a0"), ("train", "a", "a1"), ("train", "b", "b9"))
        )
    assert "shows the same as test/a/0.jpg" in refusal.value.message
    assert "data.predefined_split=ignore" in refusal.value.remedy


def test_all_parts_given_are_the_split() -> None:
    table = table_of(*part("train", 4), *part("validation", 2, 10), *part("test", 2, 20))
    assert use_parts(table, SETTINGS, seed=0).to_list() == table["part"].to_list()


@pytest.mark.parametrize(("given", "drawn"), [("test", "validation"), ("validation", "test")])
def test_a_missing_part_is_drawn_from_the_training_photos_by_groups(given: str, drawn: str) -> None:
    rows = [row for row in part("train", 20) for _ in range(3)]
    table = table_of(*rows, *part(given, 5, 50))
    split = use_parts(table, SETTINGS, seed=0)
    assert (split[table["part"] == given] == given).all()
    train = split[table["part"] == "train"]
    assert set(train) == {"train", drawn}
    assert train.groupby(table["group"]).nunique().max() == 1
    share = {"validation": 0.1, "test": 0.2}[drawn]
    assert (train == drawn).mean() == pytest.approx(share, abs=0.03)
    assert set(table.loc[split == drawn, "label"]) == {"a", "b"}
    assert use_parts(table, SETTINGS, seed=0).equals(split)
    assert not use_parts(table, SETTINGS, seed=1).equals(split)


def test_too_few_groups_to_draw_a_part_from_are_refused() -> None:
    with pytest.raises(DataError, match="too few photos to split into train and validation: a"):
        use_parts(table_of(*part("train", 1), *part("test", 3, 10)), SETTINGS, seed=0)
