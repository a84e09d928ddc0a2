"""What the name of a folder says: a part of a split, a variant of the photos, or nothing in particular."""

from __future__ import annotations

import re
import string

from phytoflow.data.splits import Split

_SPLIT_WORDS: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "trainset", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "valset", "dev", "devel"), "validation"),
    **dict.fromkeys(("development", "eval", "evaluation"), "validation"),
    **dict.fromkeys(("test", "testing", "tests", "testset", "tst", "holdout"), "test"),
}
# Words that change nothing about what a folder is: "train_images", "TestSet2", "my training data".
_FILLERS = frozenset(
    {"image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "pics", "jpg", "jpeg", "png"}
    | {"set", "sets", "data", "dataset", "datasets", "split", "splits", "subset", "part", "partition"}
    | {"folder", "folders", "file", "files", "sample", "samples", "seg", "raw", "my", "new", "all", "the"}
    | {"of", "for", "final", "full", "clean", "small", "original", "resized", "cropped", "color", "rgb"}
    | {"copy", *string.ascii_lowercase}  # "X_train", "testB", "train - Copy"
)
# The same photos treated in different ways, and the folders of segmentation and detection sets.
_VARIANTS = frozenset(
    {"color", "colour", "colored", "coloured", "rgb", "grayscale", "greyscale", "gray", "grey", "bw"}
    | {"segmented", "segmentation", "augmented", "augmentation", "augmentations", "aug", "cropped", "resized"}
    | {"normalized", "normalised", "enhanced", "denoised", "original", "originals", "orig", "raw"}
    | {"images", "image", "imgs", "photos", "photo", "pictures", "jpegimages", "annotations", "annotation"}
    | {"labels", "masks", "mask", "bboxes", "imagesets", "segmentationclass", "segmentationobject"}
)
# Sub-folders that sort the photos of one class: by date, plant, place or camera.
_NEUTRAL = re.compile(
    r"[\d._ -]+"
    r"|(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?"
    r"|nov(ember)?|dec(ember)?)[\d._ -]*"
    r"|(day|week|month|year|season|plant|leaf|tree|plot|row|field|site|farm|block|camera|cam|device|phone"
    r"|session|visit|batch|series|folder|dir|set|group|sample|specimen|patient|subject|img|images?|photos?"
    r"|dsc|dcim|lab|indoors?|outdoors?|greenhouse|spring|summer|autumn|fall|winter|morning|noon|evening)"
    r"[ ._-]*[a-z]?[\d._ -]*",
    re.IGNORECASE,
)
_FOLD = re.compile(r"(cv|k)?[ _-]?folds?[ _-]?\d+", re.IGNORECASE)


def split_of(name: str) -> Split | None:
    """The split that a folder's name stands for, e.g. ``test_images`` or ``TrainingSet``; None for others."""
    splits = {_SPLIT_WORDS[word] for word in _words(name) if word in _SPLIT_WORDS}
    rest = [word for word in _words(name) if word not in _SPLIT_WORDS and not _is_filler(word)]
    return splits.pop() if len(splits) == 1 and not rest else None


def is_wrapper(name: str) -> bool:
    """Tells whether a folder of this name only holds the folders of classes, e.g. ``images``, ``my data``."""
    words = _words(name)
    return bool(words) and all(word in _FILLERS | _VARIANTS and len(word) > 1 for word in words)


def is_variant(name: str) -> bool:
    """Tells whether a name says how photos were treated or stored, e.g. ``grayscale``, ``masks``."""
    words = _words(name)
    return any(word in _VARIANTS for word in words) and all(word in _VARIANTS | _FILLERS for word in words)


def is_neutral(name: str) -> bool:
    """Tells whether a name only numbers, dates or places photos, e.g. ``2024-05``, ``plant 3``."""
    return _NEUTRAL.fullmatch(name) is not None


def is_fold(name: str) -> bool:
    """Tells whether a name is that of a fold of a cross-validation, e.g. ``fold_3``."""
    return _FOLD.fullmatch(name) is not None


def _is_filler(word: str) -> bool:
    return word in _FILLERS or word.isdigit()


def _words(name: str) -> list[str]:
    """The words of a name, in lower case: ``TrainingSet2`` has ``training``, ``set`` and ``2``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"\d+|[^\W\d_]+", apart.lower())
