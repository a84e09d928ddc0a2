"""Every reason of a decision has a text in the console's languages, also one that was stored long ago."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from phytoflow.rollout import decide as rules
from phytoflow.rollout.decide import decide
from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.sentences import REASONS, translate_reason
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import Stage
from serving.gateway.console.catalogue import Translator
from serving.gateway.rollout import controller

SETTINGS, STRICT = RolloutSettings(), RolloutSettings(margin=1e-6)
CANARY, LAST = Stage("canary", 5), Stage("canary", 50)
BY_HAND = "by_hand"  # the controller's only reason of its own
CASES: dict[str, tuple[Stage, Evidence, RolloutSettings]] = {
    "failures": (CANARY, Evidence(failures=5), SETTINGS),
    "recent_failures": (CANARY, Evidence(pairs=5000, failures=14, recent_failures=14), SETTINGS),
    "slow": (CANARY, Evidence(pairs=21, slow=20), SETTINGS),
    "recent_slow": (CANARY, Evidence(pairs=5000, slow=1200, recent_slow=190), SETTINGS),
    "disagreements": (CANARY, Evidence(pairs=60, disagreements=50), SETTINGS),
    "recent_disagreements": (
        CANARY,
        Evidence(pairs=5000, disagreements=400, recent_disagreements=150),
        SETTINGS,
    ),
    "shift": (CANARY, Evidence(pairs=100, shift=70.0), SETTINGS),
    "recent_shift": (CANARY, Evidence(pairs=5000, shift=400.0, recent_shift=120.0), SETTINGS),
    "less_accurate": (
        CANARY,
        Evidence(pairs=400, disagreements=60, challenger_right=3, champion_right=17),
        SETTINGS,
    ),
    "needs_pairs": (CANARY, Evidence(pairs=63, stage_pairs=63), SETTINGS),
    "needs_labels": (LAST, Evidence(pairs=400, disagreements=40, stage_pairs=100), SETTINGS),
    "needs_answers": (LAST, Evidence(pairs=100, stage_pairs=100), SETTINGS),
    "needs_either": (LAST, Evidence(pairs=400, disagreements=5, stage_pairs=100), SETTINGS),
    "needs_many": (LAST, Evidence(pairs=100, stage_pairs=100), STRICT),
    "nothing_against": (CANARY, Evidence(pairs=400, stage_pairs=100), SETTINGS),
}


def reason_of(name: str) -> str:
    return REASONS[BY_HAND].format(name="Ada 7") if name == BY_HAND else decide(*CASES[name]).reason


def numbers(sentence: str) -> list[str]:
    return sorted(re.findall(r"\d+", sentence))


def test_every_reason_has_a_case() -> None:
    assert {*CASES, BY_HAND} == set(REASONS)


@pytest.mark.parametrize("name", REASONS)
def test_every_reason_has_a_german_text_with_the_same_numbers(name: str) -> None:
    english = reason_of(name)
    german = translate_reason(english, Translator("de"))
    assert german != english
    assert numbers(german) == numbers(english)


@pytest.mark.parametrize("name", REASONS)
def test_a_reason_is_found_by_its_own_text_only(name: str) -> None:
    seen: list[str] = []

    def note(text: str) -> str:
        seen.append(text)
        return text

    assert translate_reason(reason_of(name), note) == reason_of(name)
    assert seen == [REASONS[name]]


@pytest.mark.parametrize(
    ("stored", "german"),
    [
        (
            "less accurate: right on 3 of 20 photos that decide",
            "weniger genau: richtig bei 3 von 20 Fotos, die den Ausschlag geben",
        ),
        ("needs 37 more answers", "es fehlen noch 37 Antworten"),
        (
            "it was slow on 190 of the newest 200 photos",
            "er war bei 190 der letzten 200 Fotos langsam",
        ),
        ("by {n} <b>\nAda", "von {n} <b>\nAda"),
        ("", ""),
        ("a sentence of another version", "a sentence of another version"),
    ],
)
def test_stored_reasons_are_translated_and_unknown_ones_stay(stored: str, german: str) -> None:
    assert translate_reason(stored, Translator("de")) == german
    assert translate_reason(stored, Translator("en")) == stored


def test_the_rules_write_no_sentence_of_their_own() -> None:
    nodes = [*ast.walk(ast.parse(Path(rules.__file__).read_text()))]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in nodes if isinstance(node, documented)}
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and " " in str(node.value)}
    assert texts <= docstrings, "write it in REASONS"


def test_the_controller_gives_no_other_reasons() -> None:
    nodes = [*ast.walk(ast.parse(Path(controller.__file__).read_text()))]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    changes = [call for call in calls if ast.unparse(call.func) == "self.store.change"]
    assert {ast.unparse(call.args[3]) for call in changes} == {"decision.reason", "reason"}
    assigned = [ast.unparse(node) for node in nodes if isinstance(node, ast.Assign)]
    written = [line for line in assigned if line.startswith("reason = ")]
    assert written == [f"reason = REASONS['{BY_HAND}'].format(name=by)"]
