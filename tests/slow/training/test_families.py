"""One small member of each family of backbones, from settings to a served bundle."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import timm
import torch

from phytoflow.bundle.manifest import Provenance
from phytoflow.data.shards.dataset import Dataset
from phytoflow.export.export import export
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.attribution import explain
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.cost import measure_cost
from phytoflow.models.backbones import split_backbone
from phytoflow.models.factory import preprocessing_for
from phytoflow.models.families import FAMILIES
from phytoflow.models.settings import ModelSettings
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.train import train
from tests.support.small_training import Notes, small_dataset

FAST: dict[str, Any] = {
    "cached_views": 1,
    "finetune_epochs": 1,
    "min_finetune_steps": 1,
    "finetune_blocks": 1,
    "end_to_end_epochs": 1,
    "cross_validate_below": 0,
    "device": "cpu",
}
MEMBERS = {
    "convnext_atto": 64,
    "cs3darknet_focus_s": 64,
    "davit_tiny": 64,
    "edgenext_xx_small": 64,
    "efficientnetv2_rw_t": 64,
    "efficientvit_b0": 64,
    "ese_vovnet19b_slim_dw": 64,
    "eva02_tiny_patch14_224": 56,
    "fastvit_t8": 64,
    "focalnet_tiny_srf": 64,
    "hgnetv2_b0": 64,
    "inception_next_atto": 64,
    "mambaout_femto": 64,
    "maxvit_rmlp_pico_rw_256": 64,
    "mobilenetv3_small_100": 64,
    "mobilenetv4_conv_small": 64,
    "mobilevit_xxs": 64,
    "nextvit_small": 64,
    "poolformerv2_s12": 64,
    "regnetx_002": 64,
    "repvgg_a0": 64,
    "res2next50": 64,
    "resnest14d": 64,
    "resnetv2_18": 64,
    "skresnet18": 64,
    "swin_tiny_patch4_window7_224": 64,
    "swinv2_tiny_window8_256": 64,
    "tiny_vit_5m_224": 64,
    "vit_base_patch16_siglip_224": 32,
    "vit_small_patch14_dinov2": 56,
    "vit_tiny_patch16_224": 64,
    "vit_tiny_patch16_dinov3_qkvb": 64,
}
EVERY_STRATEGY = ("test_convnext", "test_vit3", "test_efficientnet", "test_mambaout")


def pretrained(model: ModelSettings, dataset: Dataset, folder: Path) -> ModelSettings:
    """The settings with random weights of a file; the statistics of batch norms are those of the photos."""
    network = timm.create_model(model.backbone, pretrained=False).train()
    norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in norms:
        layer.momentum = 1.0
    if norms:
        preprocessing = preprocessing_for(model.model_copy(update={"image_size": 0}))
        photos = [preprocessing(photo.content) for photo in itertools.islice(dataset.photos("train"), 32)]
        with torch.no_grad():
            network(torch.from_numpy(np.stack(photos)))
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    safetensors.torch.save_file(state, folder / "weights.safetensors")
    return model.model_copy(update={"weights": str(folder / "weights.safetensors")})


def check_whole_path(backbone: str, size: int, strategy: str, folder: Path) -> None:
    """Trains, exports both formats with parity, explains a photo and compares it with known ones."""
    torch.manual_seed(0)
    untrained = ModelSettings(backbone=backbone, image_size=size, weights="none")
    dataset = small_dataset(folder / "data", photos=60, model=untrained)
    model = pretrained(untrained, dataset, folder)
    assert measure_cost(model, 2).milliseconds > 0
    training = TrainingSettings(strategy=strategy, **FAST)  # type: ignore[arg-type]
    train(dataset, model, training, 0, folder / "model", str(folder / "checkpoints"), Notes())
    provenance = Provenance(data_hash="0", code_version="test", settings={})
    settings = ExportSettings(ood_false_positive_rate=0.2)
    manifest = export(folder / "model", dataset, settings, provenance, folder / "bundle")
    assert set(manifest.models) == {"torchscript", "onnx"} and manifest.ood is not None
    classifier = Classifier.load(folder / "bundle", "onnx", threads=1)
    photo = next(iter(dataset.photos("test"))).content
    tensor = manifest.preprocessing(photo)
    heat = explain(classifier, tensor, 0)
    assert heat.shape == tensor.shape[1:] and np.isfinite(heat).all()
    assert np.isfinite(classifier.run(tensor[None]).probabilities).all()


@pytest.mark.parametrize(("backbone", "size"), MEMBERS.items())
def test_a_family_goes_the_whole_way(backbone: str, size: int, tmp_path: Path) -> None:
    check_whole_path(backbone, size, "partial", tmp_path)


@pytest.mark.parametrize("strategy", ["linear", "full", "lora", "adapter", "bitfit"])
@pytest.mark.parametrize("backbone", EVERY_STRATEGY)
def test_every_strategy_trains_convolutions_and_tokens(backbone: str, strategy: str, tmp_path: Path) -> None:
    check_whole_path(backbone, 64, strategy, tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_name_of_a_family_is_split_or_refused(family: str) -> None:
    for name in timm.list_models(module=family):
        _, height, width = timm.get_pretrained_cfg(name).input_size
        if height != width:
            with pytest.raises(ValueError, match="square photos"):
                ModelSettings(backbone=name)
            continue
        assert ModelSettings(backbone=name).backbone == name
        with torch.device("meta"), torch.no_grad():  # shapes alone
            parts = split_backbone(timm.create_model(name, pretrained=False))
            network = torch.nn.Sequential(parts.stem, *parts.blocks, parts.final).eval()
            assert network(torch.zeros(1, 3, height, width)).shape == (1, parts.features), name
