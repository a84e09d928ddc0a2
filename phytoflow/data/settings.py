"""Settings of the data: labels, groups, split and limits of photos."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from phytoflow.data.images.limits import MAX_BYTES, MAX_PIXELS, MIN_SIDE
from phytoflow.settings_base import Fraction, Section


class DataSettings(Section):
    """Which photos are used and how they are split."""

    labels_csv: str = Field(
        "",
        description="CSV with columns path,label that names each photo's class; relative to the photos. "
        "Empty: the folders are the classes.",
    )
    merge_similar_classes: bool = Field(
        False, description="Class names that differ only in case, spaces or Unicode form are one class."
    )
    check_layout: bool = Field(
        True,
        description="Refuse folders that look like splits, variants or several data sets. "
        "False: every folder is a class.",
    )
    predefined_split: Literal["use", "ignore"] = Field(
        "use", description="Folders such as train and test: use them as the split, or split all photos anew."
    )
    groups_csv: str = Field("", description="CSV with columns path,group: photos of one thing share a group.")
    group_pattern: str = Field(
        "",
        description="Regular expression on file names; its group(s) name the thing shown. A named group "
        "'number' groups runs of neighbouring camera numbers in a class. Empty: PlantVillage's names.",
    )
    camera_number_gap: int = Field(
        10,
        ge=0,
        description="Camera numbers this close may be one thing; long runs are cut where photos change.",
    )
    near_duplicate_max_distance: int = Field(
        6, ge=0, le=32, description="Perceptual hashes (64 bit) this close are one thing."
    )
    validation_fraction: Fraction = Field(0.1, description="Share of photos for validation.")
    test_fraction: Fraction = Field(0.2, description="Share of photos for the test.")
    max_pixels: int = Field(
        MAX_PIXELS, gt=0, description="Photos with more pixels are refused; some formats are allowed fewer."
    )
    max_bytes: int = Field(MAX_BYTES, gt=0, description="Files with more bytes are refused.")
    min_side: int = Field(MIN_SIDE, gt=0, description="Photos with a shorter side, in pixels, are refused.")
    shard_bytes: int = Field(
        128 * 2**20, gt=0, description="A shard is closed once it holds this many bytes."
    )
    parts: int = Field(
        1,
        ge=1,
        le=10_000,
        description="Parts in which photos are scanned. More than 1: a part that was finished is not scanned "
        "again after an interruption, and photos in a store are read without a local copy.",
    )
    threads: int = Field(
        0,
        ge=0,
        description="Threads for reading photos; 0: as many as there are CPUs, or 16 for photos that "
        "are read from a store.",
    )

    @model_validator(mode="after")
    def _leaves_photos_to_train_on(self) -> DataSettings:
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to train on")
        return self


# Photos to evaluate a bundle on are not split: parts that somebody made of them are put together.
EXTERNAL_TEST_SET = DataSettings(predefined_split="ignore")
