"""A bundle and a predictor behind one interface, with the same answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phytoflow.cli.photos.classifiers import open_source
from phytoflow.errors import ConfigError, PhotoError, ServingError
from tests.support.make_bundle import CLASSES, pictures
from tests.support.services.fake_predictor import fake_predictor

CONTENTS = [photo.content for photo in pictures(4)]


@pytest.mark.parametrize(("url", "bundle"), [("", ""), ("localhost:8080", "out/bundle")])
def test_exactly_one_source_is_needed(url: str, bundle: str) -> None:
    with pytest.raises(ConfigError, match="either --url or --bundle"):
        open_source(url, bundle, "leaf")


def test_more_classes_than_there_are_may_be_asked_for(bundle: Path) -> None:
    ranked = open_source("", str(bundle), "leaf").rank(CONTENTS, top_k=20)
    assert [sorted(ranking.labels) for ranking in ranked] == [sorted(CLASSES)] * 4
    assert all(sum(ranking.scores) == pytest.approx(1, abs=1e-5) for ranking in ranked)


def test_a_predictor_is_never_asked_for_more_classes_than_it_has() -> None:
    with fake_predictor() as fake:
        open_source(fake.url, "", "leaf").rank([b"x"], top_k=20)
        assert fake.top_k == [2]


def test_the_most_likely_class_is_explained(bundle: Path) -> None:
    source = open_source("", str(bundle), "leaf")
    explanation = source.explain(CONTENTS[0], None)
    assert explanation.label == explanation.ranking.labels[0]
    other = source.explain(CONTENTS[0], explanation.ranking.labels[1])
    assert other.label == explanation.ranking.labels[1]
    assert explanation.heat.min() >= 0 and explanation.heat.max() <= 1
    assert not np.array_equal(explanation.heat, other.heat)


def test_a_class_that_is_not_there_is_refused_with_the_nearest(bundle: Path) -> None:
    source = open_source("", str(bundle), "leaf")
    source.check_class("rust")
    with pytest.raises(ConfigError, match="no class 'rusty'") as caught:
        source.check_class("rusty")
    assert "'rust'" in caught.value.remedy


def test_a_photo_that_is_none_is_a_photo_error(bundle: Path) -> None:
    with pytest.raises(PhotoError):
        open_source("", str(bundle), "leaf").rank([b"none"], 1)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"parameters": {}}', b'{"parameters": {"classes": null}}'])
def test_another_v2_server_is_recognised(body: bytes) -> None:
    with fake_predictor() as fake:
        fake.prepared = [(200, body)]
        with pytest.raises(ServingError, match="does not list its classes"):
            open_source(fake.url, "", "leaf")


def test_preprocessing_of_a_later_version_is_an_error_where_it_is_needed() -> None:
    with fake_predictor() as fake:
        source = open_source(fake.url, "", "leaf")
        with pytest.raises(ServingError, match="this version does not know"):
            print(source.preprocessing)
