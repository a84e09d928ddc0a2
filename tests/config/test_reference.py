"""Every setting is described, with what is allowed."""

from phytoflow.config.reference import known_settings, references


def test_every_setting_has_a_meaning() -> None:
    known = known_settings()
    assert {"seed", "training.cached_views", "gate.min_accuracy"} <= known.keys()
    assert [key for key, setting in known.items() if not setting.meaning] == []


def test_defaults_choices_and_ranges_are_said() -> None:
    settings = known_settings()
    assert settings["preset"].allowed == "default | fast | accurate | low-memory | production"
    assert settings["data.test_fraction"].allowed == "number, above 0, below 1"
    assert settings["serving.http_port"].allowed == "integer, at least 0, at most 65535"
    assert settings["training.cached_views"].allowed.startswith("integer or null")
    assert settings["gate.compare_champion"].allowed == "true | false"
    assert settings["export.formats"].default == ("torchscript", "onnx")


def test_every_section_says_what_it_configures() -> None:
    names = [part.name for part in references()]
    assert names[0] == "" and {"data", "training", "deploy"} <= set(names)
    assert all(part.meaning.endswith(".") for part in references())
