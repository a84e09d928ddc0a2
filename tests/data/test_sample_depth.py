import pandas as pd

from phytoflow.data.sample_depth import find_sample_bits, rescale_brightness

TABLE = pd.DataFrame(
    {
        "used_bits": [0, 10, 12, 12, 16],
        "stated_bits": [0, 0, 0, 12, 16],
        "brightness": [0.5, 0.8, 0.4, 0.3, 0.2],
    },
    index=[4, 7, 9, 11, 12],
)


def test_the_deepest_photo_that_states_nothing_decides() -> None:
    assert find_sample_bits(TABLE) == 12
    assert find_sample_bits(TABLE[TABLE["stated_bits"] > 0]) is None
    assert find_sample_bits(TABLE[:1]) is None


def test_brightness_is_that_of_the_data_sets_depth() -> None:
    rescaled = rescale_brightness(TABLE)["brightness"]
    assert rescaled.tolist() == [0.5, round(0.8 * 1023 / 4095, 4), 0.4, 0.3, 0.2]
    assert rescale_brightness(TABLE[:1]) is not None
    assert TABLE["brightness"][7] == 0.8, "the table that was given is left alone"
