"""Items in batches."""

from phytoflow.system.batches import batched


def test_the_last_batch_may_be_shorter() -> None:
    assert list(batched(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(batched([], 2)) == []


def test_items_are_taken_as_needed() -> None:
    taken = []

    def items():  # type: ignore[no-untyped-def]
        for number in range(6):
            taken.append(number)
            yield number

    batches = batched(items(), 2)
    assert taken == [] and next(batches) == [0, 1] and taken == [0, 1]
