import io
import itertools
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from phytoflow.data.images import color
from phytoflow.data.images.color import MAX_PROFILE_BYTES, UNREADABLE, describe_profile, profile_of, to_srgb
from phytoflow.data.images.decode import decode, open_photo
from phytoflow.data.images.icc import ADOBE_RGB, RgbSpace, write_profile
from tests.support.photo_files import PROFILES, heic
from tests.support.photo_folder import encoded, picture

SCENE = picture(7, 96, 64)
SRGB = ImageCms.createProfile("sRGB")


def in_space(name: str, image: Image.Image = SCENE) -> Image.Image:
    """The scene as a camera set to that space stores it."""
    target = ImageCms.ImageCmsProfile(io.BytesIO(PROFILES[name]))
    converted = ImageCms.profileToProfile(image, SRGB, target, outputMode="RGB")
    assert converted is not None
    return converted


def difference(content: bytes, expected: Image.Image = SCENE, **options: int) -> float:
    """Mean difference of a decoded photo from the scene."""
    pixels = np.asarray(decode(content, **options), float)  # type: ignore[arg-type]
    return float(np.abs(pixels - np.asarray(expected, float)).mean())


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF"])
def test_the_same_scene_in_another_space_looks_the_same(name: str, image_format: str) -> None:
    options = {"quality": 95, "icc_profile": PROFILES[name]}
    content = encoded(in_space(name), image_format, **options)
    assert difference(content) < 4
    # JPEG and its like lose some by themselves: a PNG shows what converting does.
    assert image_format != "PNG" or difference(content) < 1
    assert difference(content, version=1) > 6


@pytest.mark.parametrize("name", PROFILES)
def test_heic_by_its_embedded_profile(name: str) -> None:
    content = heic(in_space(name), icc_profile=PROFILES[name], chroma=444)
    assert difference(content) < 4


def test_heic_of_the_primaries_of_p3_without_a_profile() -> None:
    stored = Image.fromarray(np.asarray(in_space("Display P3")))  # without the profile
    content = heic(stored, chroma=444, color_primaries=12, transfer_characteristics=13)
    assert "icc_profile" not in open_photo(content).info
    assert difference(content) < 4


def _exif(space: int, index: str) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = space
    exif.get_ifd(0x8769)[0xA005] = {1: index}
    return exif.tobytes()


@pytest.mark.parametrize(
    ("space", "index", "converted"), [(0xFFFF, "R03", True), (0xFFFF, "R98", False), (1, "R03", False)]
)
def test_a_camera_set_to_adobe_rgb_marks_the_photo_in_exif(space: int, index: str, converted: bool) -> None:
    stored = in_space(ADOBE_RGB.name)
    content = encoded(stored, "JPEG", quality=97, subsampling=0, exif=_exif(space, index))
    assert difference(content, SCENE if converted else stored) < 2
    assert difference(content, stored if converted else SCENE) > 6


def test_grey_profiles_change_the_tone_curve() -> None:
    grey = SCENE.convert("L")
    linear = ImageCms.ImageCmsProfile(io.BytesIO(_grey_profile(gamma=1.0)))
    stored = ImageCms.profileToProfile(grey, _as_grey(), linear, outputMode="L")
    assert stored is not None
    content = encoded(stored, "PNG", icc_profile=_grey_profile(gamma=1.0))
    assert difference(content, grey.convert("RGB")) < 3
    assert difference(content, grey.convert("RGB"), version=1) > 20


def _grey_profile(gamma: float) -> bytes:
    """A profile of grey: the RGB one with its red curve as the only one."""
    rgb = write_profile(RgbSpace("grey", (0.64, 0.33), (0.30, 0.60), (0.15, 0.06), gamma=gamma))
    return rgb.replace(b"RGB ", b"GRAY", 1).replace(b"rTRC", b"kTRC", 1)


def _as_grey() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(_grey_profile(gamma=2.2)))


def _ink_profile() -> bytes:
    """A profile of CMYK whose inks are duller than pure ones: a table of the 16 full tones in Lab."""
    tones = np.array(list(itertools.product((0, 1), repeat=4)))
    light = (1 - 0.8 * tones[:, :3]) * (1 - 0.8 * tones[:, 3:])
    rgb = Image.fromarray((light * 255).round().astype(np.uint8)[None])
    lab = ImageCms.profileToProfile(rgb, SRGB, ImageCms.createProfile("LAB"), outputMode="LAB")
    table = (np.asarray(lab).reshape(16, 3) ^ np.array([0, 128, 128], np.uint8)).tobytes()  # a and b plus 128
    ramp = bytes(range(256))
    unit = struct.pack(">9i", *(65536 * (at % 4 == 0) for at in range(9)))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + unit + ramp * 4 + table + ramp * 3
    rgb_profile = PROFILES["Display P3"]
    head = rgb_profile[4:128].replace(b"mntrRGB XYZ ", b"prtrCMYKLab ", 1)
    body = struct.pack(">I4sII", 1, b"A2B0", 128 + 16, len(lut)) + lut
    return struct.pack(">I", 128 + len(body)) + head + body


def test_cmyk_is_converted_by_its_profile() -> None:
    cmyk = Image.fromarray(np.zeros((20, 20, 4), np.uint8), "CMYK")
    cmyk.paste((255, 0, 0, 0), (0, 0, 10, 20))  # all the cyan there is
    content = encoded(cmyk, "TIFF", icc_profile=_ink_profile())
    pixels = np.asarray(decode(content), int)
    assert np.abs(pixels[10, 2] - (51, 255, 255)).max() < 20, "a dull cyan by the profile"
    assert np.abs(pixels[10, 17] - 255).max() < 5
    assert (np.asarray(decode(content, version=1), int)[10, 2] == (0, 255, 255)).all(), "a pure one without"


def test_lab_photos_are_read() -> None:
    lab = ImageCms.profileToProfile(
        SCENE, SRGB, ImageCms.createProfile("LAB"), outputMode="LAB", renderingIntent=1
    )
    assert lab is not None
    assert difference(encoded(lab, "TIFF")) < 3


class TestBrokenProfiles:
    """Ignored: the photo is taken as sRGB."""

    @pytest.mark.parametrize(
        "profile",
        [
            b"no profile",
            PROFILES["Display P3"][:200],
            b"\0" * 3000,
            PROFILES["Display P3"].replace(b"RGB ", b"CMYK", 1),
            PROFILES["Display P3"] + bytes(MAX_PROFILE_BYTES),
            _grey_profile(2.2),
        ],
        ids=["text", "cut short", "zeros", "of CMYK", "too large", "of grey"],
    )
    def test_the_photo_is_used_as_it_is(self, profile: bytes) -> None:
        content = encoded(SCENE, "TIFF", icc_profile=profile)
        assert difference(content) == 0

    def test_a_profile_that_is_too_large_is_not_parsed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        parsed: list[int] = []
        monkeypatch.setattr(color, "_build", lambda profile, mode: parsed.append(len(profile)))
        to_srgb(SCENE, bytes(MAX_PROFILE_BYTES + 1))
        assert parsed == []

    @pytest.mark.parametrize("seed", range(40))
    def test_damage_anywhere_raises_nothing(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        profile = bytearray(PROFILES["Display P3"])
        for at in rng.integers(0, len(profile), 12):
            profile[at] = rng.integers(256)
        assert to_srgb(SCENE, bytes(profile)).mode == "RGB"
        describe_profile(SCENE, bytes(profile))


class TestDescription:
    def test_names(self) -> None:
        for name, profile in PROFILES.items():
            assert describe_profile(SCENE, profile) == name

    def test_srgb_by_any_name_is_nothing_to_tell(self) -> None:
        written = write_profile(RgbSpace("my monitor", (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)))
        for profile in (None, written, ImageCms.ImageCmsProfile(SRGB).tobytes()):
            assert describe_profile(SCENE, profile) == ""

    def test_what_is_ignored(self) -> None:
        assert describe_profile(SCENE, b"no profile") == UNREADABLE
        assert describe_profile(SCENE, bytes(MAX_PROFILE_BYTES + 1)) == UNREADABLE


def test_a_photo_in_srgb_is_not_touched() -> None:
    assert to_srgb(SCENE, None) is SCENE
    profile = ImageCms.ImageCmsProfile(SRGB).tobytes()
    assert np.array_equal(np.asarray(to_srgb(SCENE, profile)), np.asarray(SCENE))


def test_the_converted_photo_has_no_profile_that_would_be_saved_with_it() -> None:
    content = encoded(in_space("Display P3"), "PNG", icc_profile=PROFILES["Display P3"])
    assert "icc_profile" not in decode(content).info


def test_a_profile_is_found_in_the_photo() -> None:
    image = Image.open(io.BytesIO(encoded(SCENE, "PNG", icc_profile=PROFILES["Display P3"])))
    assert profile_of(image) == PROFILES["Display P3"]
    assert profile_of(SCENE) is None


def test_transforms_are_built_once_and_only_the_last_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    cache = color._Cache(2)
    built: list[bytes] = []
    monkeypatch.setattr(color, "_build", lambda profile, mode: (built.append(profile), True))
    for profile in (b"a", b"b", b"a", b"c", b"a", b"b"):
        cache.find(profile, "RGB")
    assert built == [b"a", b"b", b"c", b"b"]


def test_threads_share_a_transform() -> None:
    content = encoded(in_space("Adobe RGB (1998)"), "PNG", icc_profile=PROFILES["Adobe RGB (1998)"])
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: np.asarray(decode(content)).tobytes(), range(64)))
    assert len(set(results)) == 1
