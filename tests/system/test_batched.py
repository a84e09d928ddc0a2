from phytoflow.system.batched import batched


def test_the_last_list_is_shorter_and_nothing_is_lost() -> None:
    assert list(batched(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batched([], 3)) == []


def test_items_are_taken_only_as_needed() -> None:
    taken: list[int] = []
    source = (taken.append(i) or i for i in range(100))
    assert next(batched(source, 4)) == [0, 1, 2, 3]
    assert taken == [0, 1, 2, 3]
