"""Every message has a translation in every catalogue, with the same placeholders."""

import re

import pytest

from phytoflow.monitoring import sentences as drift
from phytoflow.rollout.sentences import REASONS
from phytoflow.rollout.stages import ACTIVE
from phytoflow.tracking.compare.comparison import FIGURES, PHOTO_TIME, TRAINING_TIME
from serving.gateway import sentences
from serving.gateway.console import catalogue
from serving.gateway.console.rollout.section import ACTIONS, NEXT, STAGES
from serving.gateway.console.runs.page import STATES

FOLDER = catalogue.LOCALE_FOLDER.parent


def messages() -> set[str]:
    found = {sentences.UNKNOWN, sentences.LIKELY, sentences.PROBABLE, sentences.UNCERTAIN}
    found |= {*STAGES.values(), *ACTIONS.values(), *STATES}
    found |= {*REASONS.values(), *NEXT.values(), *ACTIVE, "promoted"}
    found |= {*(name for name, *_ in FIGURES), TRAINING_TIME, PHOTO_TIME}
    found |= {*drift.GRADES.values(), *drift.VALUES.values(), drift.COMPONENT}
    found |= {drift.NO_PHOTOS, drift.NO_ESTIMATE, drift.ESTIMATE, drift.LABELLED}
    for path in [*FOLDER.glob("templates/*.html"), *FOLDER.rglob("*.py")]:
        for double, single in re.findall(r"""\b_\((?:"([^"]+)"|'([^']+)')\)""", path.read_text()):
            found.add(double or single)
    return found


@pytest.mark.parametrize("language", sorted(set(catalogue.catalogues()) - {"en"}))
def test_nothing_is_left_untranslated(language: str) -> None:
    known = catalogue.catalogues()[language]
    assert len(messages()) > 100
    assert messages() - known.keys() == set()
    for message, translation in known.items():
        assert set(re.findall(r"{\w+}", message)) == set(re.findall(r"{\w+}", translation)), message


def test_an_unknown_message_stays_as_it_is() -> None:
    assert catalogue.Translator("de")("never written") == "never written"
