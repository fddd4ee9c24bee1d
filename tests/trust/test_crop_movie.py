from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from napari_lowdose.errors import UnwritableFile
from napari_lowdose.trust.crop_movie import Circle, save_crop_movie

FRAMES, SIDE = 6, 33
TILE = 6 * SIDE  # the least whole magnification to 192 pixels
HEAD, GAP = 22, 6


@pytest.fixture
def crops():
    """A crop that gets brighter from frame to frame, and one that stays black."""
    brighter = np.zeros((FRAMES, SIDE, SIDE), np.float32)
    brighter += np.linspace(0, 10, FRAMES, dtype=np.float32)[:, None, None]
    return {"raw": brighter, "fused": np.zeros((FRAMES, SIDE, SIDE), np.uint16)}


def frames_of(path):
    """Read a movie back as RGB frames."""
    if path.suffix == ".gif":
        with Image.open(path) as gif:
            frames = []
            for number in range(gif.n_frames):
                gif.seek(number)
                frames.append(np.asarray(gif.convert("RGB")))
        return frames
    film = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = film.read()
        if not there:
            film.release()
            return frames
        frames.append(frame[..., ::-1])


def middle(frame, number):
    """The grey in the middle of a picture, right of its ring."""
    left = GAP + number * (TILE + GAP)
    return float(frame[HEAD + TILE // 2, left + TILE // 2].mean())


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".GIF"])
def test_every_frame_comes_back_as_bright_as_it_was(tmp_path, crops, suffix):
    path = save_crop_movie(tmp_path / f"crop{suffix}", crops, limits=(0, 10))
    frames = frames_of(path.rename(path.with_suffix(suffix.lower())))
    assert len(frames) == FRAMES
    seen = [middle(frame, 0) for frame in frames]
    # a palette costs one of 256 grey levels, MPEG-4 a few
    np.testing.assert_allclose(seen, np.linspace(0, 255, FRAMES), atol=6)
    assert max(middle(frame, 1) for frame in frames) < 12


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_ring_is_drawn_where_the_particle_is_and_only_then(tmp_path, crops, suffix):
    dark = {"fused": crops["fused"]}
    circles = [None, *[Circle(16.0, 16.0, 5.0, "#ff0000")] * (FRAMES - 1)]
    path = tmp_path / f"crop{suffix}"
    save_crop_movie(path, dark, limits=(0, 10), circles=circles)
    frames = frames_of(path)
    left_of_the_ring = (HEAD + TILE // 2, GAP + TILE // 2 - 5 * 6)
    around = [
        frame[
            left_of_the_ring[0] - 2 : left_of_the_ring[0] + 3,
            left_of_the_ring[1] - 2 : left_of_the_ring[1] + 3,
            0,
        ].max()
        for frame in frames
    ]
    assert around[0] < 60  # what MPEG-4 smears
    assert min(around[1:]) > 120


def test_a_film_has_even_edges(tmp_path):
    crops = {"raw": np.zeros((2, 31, 31), np.uint8)}
    path = tmp_path / "odd.mp4"
    save_crop_movie(path, crops, limits=(0, 1))
    height, width, _ = frames_of(path)[0].shape
    assert height % 2 == width % 2 == 0


def test_a_failure_leaves_what_was_there(tmp_path, crops):
    path = tmp_path / "crop.gif"
    path.write_bytes(b"older")
    broken = {"raw": crops["raw"], "fused": crops["fused"][1:]}
    with pytest.raises(ValueError, match="crops of one shape"):
        save_crop_movie(path, broken, limits=(0, 10))
    assert path.read_bytes() == b"older"
    assert [p.name for p in tmp_path.iterdir()] == ["crop.gif"]


def test_what_cannot_be_written_is_told_in_one_sentence(tmp_path, crops):
    with pytest.raises(ValueError, match=r"\.gif or \.mp4"):
        save_crop_movie(tmp_path / "crop.avi", crops, limits=(0, 10))
    with pytest.raises(ValueError, match="none at all"):
        save_crop_movie(tmp_path / "crop.gif", {}, limits=(0, 10))
    with pytest.raises(UnwritableFile, match="make it first"):
        save_crop_movie(tmp_path / "no" / "crop.gif", crops, limits=(0, 10))
