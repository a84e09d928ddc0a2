"""Brings accepted photos of a gateway into a data set; may be interrupted and repeated at any time."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from phytoflow.client.gateway import GatewayClient, GatewayError
from phytoflow.data.feedback.held_out import HeldOutPhotos
from phytoflow.data.feedback.provenance import (
    CollectedPhoto,
    read_provenance,
    write_provenance,
    write_table,
)
from phytoflow.data.feedback.selection import PREFIX, Selected, select
from phytoflow.data.feedback.sessions import write_groups
from phytoflow.data.images.limits import Limits
from phytoflow.data.ingest.scan import measure_look
from phytoflow.data.settings import DataSettings
from phytoflow.errors import PhotoError
from phytoflow.storage.uri import is_local, join, list_sizes, local_path, put_bytes, remove_file
from phytoflow.system.progress import track

SKIPPED = "skipped.csv"
HELD_OUT = "it is, or looks like, a test photo of the model"
_LOG = logging.getLogger(__name__)
_SUFFIXES = {b"\xff\xd8": ".jpg", b"\x89P": ".png"}  # the gateway stores no other formats
_OURS = re.compile(rf"[^/]+/{PREFIX}[0-9a-f]{{32}}\.\w+")  # path in the data set
_CHECKPOINT = 50  # photos between two writings of the provenance


@dataclass(frozen=True)
class Collected:
    """The outcome.

    Attributes:
        photos: All collected photos of the data set.
        new: Number of those that this call added.
        removed: Number of those that it removed, because they are no longer accepted as they were.
        gone: Number of those that the gateway has deleted, because of their age or because a user's data were
            erased; they stay.
        skipped: Id and reason of each accepted prediction that is not in the data set.
    """

    photos: list[CollectedPhoto]
    new: int
    removed: int
    gone: int
    skipped: dict[str, str]

    def lines(self) -> list[str]:
        """What was done, for people."""
        reasons = Counter(self.skipped.values())
        return [
            f"{len(self.photos)} accepted photos: {self.new} new, {self.removed} removed",
            *([f"{self.gone} of them are no longer at the gateway and stay"] if self.gone else []),
            *(f"{count} not collected: {reason}" for reason, count in sorted(reasons.items())),
        ]


class Collector:
    """Collects into one data set.

    Args:
        client: The gateway, as a reviewer.
        gateway: Its address, for the provenance.
        root: The data set: class folders, which may hold other photos too; a folder or URI.
        held_out: Photos that must not get into it; None if they are not known.
        settings: Limits of photos, and distance of near-duplicates.
    """

    def __init__(
        self,
        client: GatewayClient,
        gateway: str,
        root: str | Path,
        held_out: HeldOutPhotos | None,
        settings: DataSettings,
    ) -> None:
        self._client, self._gateway, self._root = client, gateway, root
        self._held_out, self._settings = held_out, settings
        self._limits = Limits(settings.max_bytes, settings.max_pixels, settings.min_side)

    def collect(self) -> Collected:
        """Makes the data set hold exactly the photos that are accepted now, and no held-out one.

        Raises:
            GatewayError: The gateway refuses.
            ServingError: It cannot be reached.
            DataError: The data set has a provenance of another kind.
            StorageError: The disk is full, or the data set cannot be written.
        """
        selection = select(self._client.accepted())
        skipped = dict(selection.skipped)
        before = read_provenance(self._root)
        files = self._files()
        gone = self._gone(photo for photo in before if photo.prediction_id not in selection.ids)
        kept = {
            photo.prediction_id: photo
            for photo in self._still_wanted(before, files, selection.selected, gone)
        }
        removed = self._remove(photo for photo in before if photo.prediction_id not in kept)
        # Before anything is added: an interrupted call leaves no file that the provenance does not name.
        write_provenance(self._root, kept.values())
        missing = [one for one in selection.selected if one.accepted.id not in kept]
        new = 0
        for number, one in enumerate(track(missing, "Collecting photos"), 1):
            outcome = self._add(one)
            if isinstance(outcome, CollectedPhoto):
                kept[one.accepted.id] = outcome
                new += 1
            else:
                skipped[one.accepted.id] = outcome
            if number % _CHECKPOINT == 0:
                write_provenance(self._root, kept.values())
        photos = sorted(kept.values(), key=lambda photo: photo.path)
        write_provenance(self._root, photos)
        self._remove_strays(files - {photo.path for photo in [*before, *photos]})
        write_groups(self._root, photos, self._settings)
        write_table(join(self._root, SKIPPED), ("prediction_id", "reason"), sorted(skipped.items()))
        return Collected(photos, new, removed, len(gone), skipped)

    def _gone(self, photos: Iterable[CollectedPhoto]) -> set[str]:
        """Ids of collected photos that the gateway has deleted since."""
        return {photo.prediction_id for photo in photos if self._is_gone(photo)}

    def _is_gone(self, photo: CollectedPhoto) -> bool:
        """Whether the gateway has deleted the prediction, or its photo only: it is then still accepted."""
        try:
            prediction = self._client.prediction(photo.prediction_id)
        except GatewayError as error:
            if error.status != 404:
                raise
            return True
        return prediction.review == "accepted" and prediction.corrected_label == photo.label

    def _still_wanted(
        self,
        before: Iterable[CollectedPhoto],
        files: set[str],
        selected: Iterable[Selected],
        gone: set[str],
    ) -> Iterable[CollectedPhoto]:
        """Photos of an earlier call that are accepted as the same class or gone, and not held out by now."""
        labels = {one.accepted.id: one.label for one in selected}
        for photo in before:
            same = photo.prediction_id in gone or labels.get(photo.prediction_id) == photo.label
            if (
                same
                and photo.path in files
                and not self._is_held_out(photo.phash, photo.photo_sha256, photo.file_sha256)
            ):
                yield photo

    def _add(self, one: Selected) -> CollectedPhoto | str:
        """Fetches a photo and writes its file, or returns why not."""
        accepted = one.accepted
        try:
            content = self._client.photo(accepted.id)
        except GatewayError as error:
            if error.status != 404:
                raise
            return "the gateway does not have its photo any more"
        digest = hashlib.sha256(content).hexdigest()
        try:
            phash, _ = measure_look(content, self._limits)
        except PhotoError as error:
            return f"its photo cannot be used: {error.reason}"
        if self._is_held_out(phash, accepted.photo_sha256, digest):
            return HELD_OUT
        path = f"{one.label}/{PREFIX}{accepted.id}{_SUFFIXES.get(content[:2], '.img')}"
        put_bytes(content, join(self._root, path))
        return CollectedPhoto(
            path=path,
            prediction_id=accepted.id,
            user=accepted.user,
            created=accepted.created.isoformat(),
            label=one.label,
            predicted=accepted.prediction,
            confidence=f"{accepted.confidence:.6g}",
            model_version=accepted.model.version,
            photo_sha256=accepted.photo_sha256,
            file_sha256=digest,
            phash=phash,
            gateway=self._gateway,
        )

    def _is_held_out(self, phash: str, *digests: str) -> bool:
        if self._held_out is None:
            return False
        bits = self._settings.near_duplicate_max_distance
        return bool(self._held_out.digests.intersection(digests)) or self._held_out.resemble(phash, bits)

    def _remove(self, photos: Iterable[CollectedPhoto]) -> int:
        removed = 0
        for photo in photos:
            remove_file(join(self._root, photo.path))
            removed += 1
        return removed

    def _files(self) -> set[str]:
        """Paths, in the data set, of the photos that this command has written, also of those not noted."""
        if is_local(self._root):
            folder = local_path(self._root)
            names = [file.relative_to(folder).as_posix() for file in folder.glob(f"*/{PREFIX}*")]
        else:
            names = list(list_sizes(str(self._root)))
        return {name for name in names if _OURS.fullmatch(name)}

    def _remove_strays(self, paths: Iterable[str]) -> None:
        """Removes files that a killed call wrote and did not note."""
        for path in sorted(paths):
            _LOG.info("removed %s, which an interrupted call left", path)
            remove_file(join(self._root, path))
