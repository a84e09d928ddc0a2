import numpy as np

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.predictions.sampling import LatencySample, ReservoirSample


def photo(number: int) -> LabelledPhoto:
    return LabelledPhoto(f"{number}.jpg", "red", str(number), b"")


def test_every_photo_of_a_stream_has_the_same_chance() -> None:
    drawn = np.zeros(20)
    for seed in range(2000):
        sample = ReservoirSample(5, seed)
        for number in range(20):
            sample.observe(photo(number))
        for kept in sample.photos:
            drawn[int(kept.group)] += 1
    assert drawn.sum() == 2000 * 5
    assert abs(drawn / 2000 - 0.25).max() < 0.04  # four standard deviations


def test_a_short_stream_is_kept_whole_and_a_sample_of_none_stays_empty() -> None:
    few, none = ReservoirSample(5, 0), ReservoirSample(0, 0)
    for number in range(3):
        few.observe(photo(number))
        none.observe(photo(number))
    assert [kept.group for kept in few.photos] == ["0", "1", "2"]
    assert none.photos == []


def test_large_photos_to_be_timed_are_bounded_by_their_bytes() -> None:
    sample, large = LatencySample(50), bytes(30 * 2**20)
    for _ in range(10):
        sample.observe(large)
    assert len(sample.contents) == 3
    small = LatencySample(2)
    for number in range(4):
        small.observe(bytes([number]))
    assert small.contents == [b"\x00", b"\x01"]
