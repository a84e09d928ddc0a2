"""Parameters under the protocol's names, and photos in groups."""

from phytoflow.client.parameters import InferParameters, chunk_photos


def test_only_what_is_set_is_sent() -> None:
    assert InferParameters().to_dict() == {}
    assert InferParameters(top_k=3, tta="flips").to_dict() == {"top_k": 3, "tta": "flips"}
    assert InferParameters(explain=True).to_dict() == {"explain": True}
    assert InferParameters(explain=True, label="NA").to_dict() == {"explain": True, "class": "NA"}


def test_a_request_holds_at_least_one_photo() -> None:
    assert InferParameters(tta="crops").photos_per_request(4) == 1
    assert InferParameters(explain=True).photos_per_request(2) == 2


def test_groups_keep_the_order() -> None:
    assert list(chunk_photos([b"a", b"b", b"c"], 2)) == [[b"a", b"b"], [b"c"]]
    assert list(chunk_photos([], 2)) == []
