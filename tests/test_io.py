"""TIFF files of any kind become calibrated (t, y, x) stacks, or one clear sentence."""

from __future__ import annotations

import gc
import tempfile
import time
import zlib
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_lowdose.config import Reading
from napari_lowdose.errors import UnreadableFile, UnusableStack
from napari_lowdose.io import inspect, read_stack
from napari_lowdose.io import series as series_module
from napari_lowdose.io import tiff as tiff_module
from napari_lowdose.io.units import escaped, unescaped, unit_name
from napari_lowdose.io.view import View

DATA = Path(__file__).parents[2] / "shared" / "data"
DTYPES = "bool u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8".split()
MOVIE = np.arange(5 * 16 * 17, dtype=np.uint16).reshape(5, 16, 17)


def everything(*sizes):
    """Values that tell every place of an array apart."""
    return np.arange(np.prod(sizes), dtype=np.uint16).reshape(sizes)


@pytest.fixture
def lazily(monkeypatch):
    """Treat every file as too large for the memory."""
    monkeypatch.setattr(tiff_module, "LAZY_ABOVE_BYTES", -1)
    monkeypatch.setattr(series_module, "LAZY_ABOVE_BYTES", -1)


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_type_in_any_byte_order(tmp_path, dtype, byteorder):
    movie = (MOVIE % 7).astype(dtype)
    tifffile.imwrite(tmp_path / "m.tif", movie, byteorder=byteorder)
    stack = read_stack(tmp_path / "m.tif")
    np.testing.assert_array_equal(stack.data, movie)
    assert stack.data.dtype == np.dtype(dtype)
    assert (stack.name, stack.pixel_size, stack.frame_interval_s) == ("m", None, None)


KINDS = {
    "plain": {},
    "pages without metadata": {"metadata": None},
    "imagej": {"imagej": True, "metadata": {"axes": "TYX"}},
    "ome": {"ome": True, "metadata": {"axes": "TYX"}},
    "bigtiff": {"bigtiff": True},
    "lzw": {"compression": "lzw", "predictor": True},
    "deflate": {"compression": "zlib", "metadata": None},
    "zstd": {"compression": "zstd"},
    "compressed ome": {
        "ome": True,
        "compression": "zlib",
        "metadata": {"axes": "TYX"},
    },
    "tiles": {"tile": (16, 16)},
    "strips": {"rowsperstrip": 3, "compression": "zlib"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_file_and_lazy_equals_eager(tmp_path, kind, monkeypatch):
    tifffile.imwrite(tmp_path / "m.tif", MOVIE, **KINDS[kind])
    eager = read_stack(tmp_path / "m.tif")
    monkeypatch.setattr(tiff_module, "LAZY_ABOVE_BYTES", -1)
    lazy = read_stack(tmp_path / "m.tif")
    assert type(eager.data) is np.ndarray
    assert type(lazy.data) is not np.ndarray
    np.testing.assert_array_equal(eager.data, MOVIE)
    np.testing.assert_array_equal(lazy.data, MOVIE)
    np.testing.assert_array_equal(lazy.read(), MOVIE)
    np.testing.assert_array_equal(lazy.data[3, 2:9, ::4], MOVIE[3, 2:9, ::4])
    description = inspect(tmp_path / "m.tif")
    assert (description.axes, description.shape) == ("TYX", MOVIE.shape)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_anywhere_is_refused_unless_nothing_is_lost(tmp_path, kind):
    whole, cut = tmp_path / "whole.tif", tmp_path / "cut.tif"
    tifffile.imwrite(whole, MOVIE, **KINDS[kind])
    content = whole.read_bytes()
    for end in range(0, len(content), len(content) // 60):
        cut.write_bytes(content[:end])
        try:
            stack = read_stack(cut)
        except UnreadableFile:
            continue
        np.testing.assert_array_equal(stack.data, MOVIE)


def test_damage_found_late_is_one_sentence_too(tmp_path, lazily):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, MOVIE, compression="zlib")
    with tifffile.TiffFile(path) as tif:
        start = tif.pages[2].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[start : start + 40] = bytes(40)
    path.write_bytes(content)
    stack = read_stack(path)
    with pytest.raises(UnreadableFile, match=r"m\.tif is damaged or cut short"):
        stack.data[2]


def test_what_is_no_movie_is_refused_in_one_sentence(tmp_path):
    text, empty = tmp_path / "text.tif", tmp_path / "empty.tif"
    text.write_text("hello, I am not a movie")
    empty.touch()
    with pytest.raises(UnreadableFile, match=r"text\.tif is not a TIFF file"):
        read_stack(text)
    with pytest.raises(UnreadableFile, match=r"empty\.tif is empty"):
        read_stack(empty)
    with pytest.raises(UnreadableFile, match=r"there is no file .*no\.tif"):
        read_stack(tmp_path / "no.tif")
    with pytest.raises(UnreadableFile, match="no file was given"):
        read_stack([])
    with pytest.raises(UnreadableFile, match="is not a file"):
        read_stack("/dev/null")


def test_a_single_image_and_complex_numbers_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "one.tif", MOVIE[0])
    with pytest.raises(UnusableStack, match="'one' is a single image, not a movie"):
        read_stack(tmp_path / "one.tif")
    tifffile.imwrite(tmp_path / "c.tif", MOVIE.astype(np.complex64))
    with pytest.raises(UnusableStack, match="'c' holds complex64 numbers"):
        read_stack(tmp_path / "c.tif")


def test_an_unknown_compression_is_named(tmp_path):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, MOVIE, compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as tif:
        for page in tif.pages:
            page.tags["Compression"].overwrite(65000)
    with pytest.raises(UnreadableFile, match=r"cannot be read here .compression"):
        read_stack(path)


def test_several_movies_in_a_file_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "m.tif") as tif:
        tif.write(MOVIE)
        tif.write(MOVIE[:, :8])
    with pytest.raises(UnreadableFile, match=r"2 movies .*5 x 16 x 17, 5 x 8 x 17"):
        read_stack(tmp_path / "m.tif")


UNITS = [("micron", "micrometer"), ("nm", "nanometer"), ("\\u00B5m", "micrometer")]


@pytest.mark.parametrize(("spelling", "unit"), UNITS)
@pytest.mark.parametrize("interval", [{"finterval": 0.25}, {"fps": 4.0}])
def test_imagej_calibration(tmp_path, spelling, unit, interval):
    fields = {"axes": "TYX", "unit": spelling, **interval}
    resolution = (1 / 0.5, 1 / 0.25)  # pixels per unit along x, y
    tifffile.imwrite(
        tmp_path / "m.tif", MOVIE, imagej=True, resolution=resolution, metadata=fields
    )
    stack = read_stack(tmp_path / "m.tif")
    assert stack.pixel_size == (0.25, 0.5)
    assert stack.pixel_unit == unit
    assert stack.frame_interval_s == 0.25


def test_imagej_time_unit(tmp_path):
    fields = {"axes": "TYX", "finterval": 40, "tunit": "ms"}
    tifffile.imwrite(tmp_path / "m.tif", MOVIE, imagej=True, metadata=fields)
    assert read_stack(tmp_path / "m.tif").frame_interval_s == pytest.approx(0.04)


def test_ome_calibration_and_channel_names(tmp_path):
    movie = everything(3, 2, 8, 9)
    fields = {
        "axes": "TCYX",
        "PhysicalSizeX": 2.0,
        "PhysicalSizeXUnit": "Å",
        "PhysicalSizeY": 3.0,
        "PhysicalSizeYUnit": "Å",
        "TimeIncrement": 20.0,
        "TimeIncrementUnit": "ms",
        "Channel": {"Name": ["bright", "dark"]},
    }
    tifffile.imwrite(tmp_path / "m.ome.tif", movie, metadata=fields)
    description = inspect(tmp_path / "m.ome.tif")
    assert (description.axes, description.shape) == ("TCYX", movie.shape)
    assert description.channel_names == ("bright", "dark")
    stack = read_stack(tmp_path / "m.ome.tif", Reading(channel=1))
    np.testing.assert_array_equal(stack.data, movie[:, 1])
    assert (stack.pixel_size, stack.pixel_unit) == ((3.0, 2.0), "angstrom")
    assert stack.frame_interval_s == pytest.approx(0.02)
    assert stack.name == "m"


def test_ome_time_stamps_stand_in_for_an_increment(tmp_path):
    stamps = {"DeltaT": [0.0, 0.5, 1.1, 1.5, 2.0], "DeltaTUnit": ["s"] * 5}
    fields = {"axes": "TYX", "Plane": stamps}
    tifffile.imwrite(tmp_path / "m.ome.tif", MOVIE, metadata=fields)
    assert read_stack(tmp_path / "m.ome.tif").frame_interval_s == pytest.approx(0.5)


def test_a_printers_resolution_is_no_calibration(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", MOVIE, resolution=(72, 72), resolutionunit=2)
    assert read_stack(tmp_path / "m.tif").pixel_size is None
    tifffile.imwrite(
        tmp_path / "ij.tif",
        MOVIE,
        imagej=True,
        resolution=(72, 72),
        metadata={"axes": "TYX", "unit": "inch"},
    )
    assert read_stack(tmp_path / "ij.tif").pixel_size is None


def test_slices_without_time_are_asked_about(tmp_path):
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, MOVIE, imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(UnusableStack, match=r"axes ZYX .* if z is time, .* axes TYX"):
        read_stack(path)
    np.testing.assert_array_equal(read_stack(path, Reading(axes="tyx")).data, MOVIE)


@pytest.mark.parametrize("lazy", [False, True])
def test_one_z_of_several_must_be_chosen(tmp_path, lazy, monkeypatch):
    movie = everything(3, 4, 8, 9)
    tifffile.imwrite(tmp_path / "m.tif", movie, imagej=True, metadata={"axes": "TZYX"})
    if lazy:
        monkeypatch.setattr(tiff_module, "LAZY_ABOVE_BYTES", -1)
    with pytest.raises(UnusableStack, match="4 z slices; choose one with z, from 0 to"):
        read_stack(tmp_path / "m.tif")
    with pytest.raises(UnusableStack, match="none number 4; choose z from 0 to 3"):
        read_stack(tmp_path / "m.tif", Reading(z=4))
    stack = read_stack(tmp_path / "m.tif", Reading(z=2, t_start=1, x_stop=5))
    np.testing.assert_array_equal(stack.data, movie[1:, 2, :, :5])


def test_one_colour_of_several_must_be_chosen(tmp_path):
    movie = everything(5, 6, 7, 3).astype(np.uint8)
    tifffile.imwrite(tmp_path / "m.tif", movie, photometric="rgb")
    with pytest.raises(UnusableStack, match="3 colours; choose one with channel"):
        read_stack(tmp_path / "m.tif")
    stack = read_stack(tmp_path / "m.tif", Reading(channel=2))
    np.testing.assert_array_equal(stack.data, movie[..., 2])


def test_axes_of_length_one_are_dropped_silently(tmp_path):
    movie = everything(5, 1, 1, 6, 7)
    tifffile.imwrite(tmp_path / "m.tif", movie, metadata={"axes": "TZCYX"})
    np.testing.assert_array_equal(read_stack(tmp_path / "m.tif").data, movie[:, 0, 0])
    with pytest.raises(UnusableStack, match="has one channel only, and none number 1"):
        read_stack(tmp_path / "m.tif", Reading(channel=1))


@pytest.mark.parametrize("lazy", [False, True])
def test_axes_in_any_order_are_transposed(tmp_path, lazy, monkeypatch):
    movie = everything(6, 5, 7)
    tifffile.imwrite(tmp_path / "m.tif", movie)
    if lazy:
        monkeypatch.setattr(tiff_module, "LAZY_ABOVE_BYTES", -1)
    stack = read_stack(tmp_path / "m.tif", Reading(axes="YXT"))
    np.testing.assert_array_equal(stack.data, movie.transpose(2, 0, 1))


@pytest.mark.parametrize("axes", ["TY", "TZYX", "TYY", "TQX", "ZYX"])
def test_impossible_axes_are_refused(tmp_path, axes):
    tifffile.imwrite(tmp_path / "m.tif", MOVIE)
    with pytest.raises(UnusableStack, match=f"axes {axes} .*'m'"):
        read_stack(tmp_path / "m.tif", Reading(axes=axes))


@pytest.mark.parametrize("crop", [{"t_stop": 6}, {"y_start": 16}, {"x_start": 9}])
def test_a_crop_beyond_the_movie_is_refused(tmp_path, crop):
    tifffile.imwrite(tmp_path / "m.tif", MOVIE)
    with pytest.raises(UnusableStack, match=r"the crop from .* does not fit 'm'"):
        read_stack(tmp_path / "m.tif", Reading(x_stop=9, **crop))


def test_the_user_knows_better_than_the_file(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", MOVIE)
    known = Reading(pixel_size=0.2, pixel_unit="µm", frame_interval_s=0.1)
    stack = read_stack(tmp_path / "m.tif", known)
    assert stack.scale == (0.1, 0.2, 0.2)
    assert stack.units == ("second", "micrometer", "micrometer")
    with pytest.raises(UnusableStack, match="needs its unit; give one of picometer"):
        read_stack(tmp_path / "m.tif", Reading(pixel_size=0.2))
    with pytest.raises(UnusableStack, match="'parsec' is no unit of a pixel size"):
        read_stack(tmp_path / "m.tif", Reading(pixel_size=1, pixel_unit="parsec"))


def test_units_by_many_spellings():
    for text in ("um", "µm", "μm", "micron", "microns", "Micrometers", "\\u00b5m"):
        assert unit_name(text) == "micrometer"
    assert unit_name("A") == unit_name("Å") == unit_name("Angstroms") == "angstrom"
    assert unit_name("inch") is unit_name("pixel") is unit_name("") is None
    assert unescaped(escaped("µ Å x")) == "µ Å x"


@pytest.fixture
def folder(tmp_path):
    for index in (0, 1, 2, 10, 11):
        name = tmp_path / f"frame_{index}.tif"
        tifffile.imwrite(name, np.full((6, 7), index, np.uint16))
    return tmp_path


@pytest.mark.parametrize("lazy", [False, True])
def test_images_become_a_movie_in_natural_order(folder, lazy, monkeypatch):
    if lazy:
        monkeypatch.setattr(series_module, "LAZY_ABOVE_BYTES", -1)
    (folder / "notes.txt").touch()
    (folder / "._frame_0.tif").touch()
    stack = read_stack(folder)
    assert stack.shape == (5, 6, 7)
    assert list(stack.data[:, 0, 0]) == [0, 1, 2, 10, 11]
    assert (np.asarray(stack.data[-2]) == 10).all()
    assert stack.name == folder.name
    files = sorted(folder.glob("frame*.tif"), reverse=True)
    again = read_stack(files, Reading(y_start=2))
    np.testing.assert_array_equal(again.data, np.asarray(stack.data)[:, 2:])
    assert again.name == "frame"
    assert inspect(files).shape == (5, 6, 7)


def test_frames_that_differ_are_named(folder):
    tifffile.imwrite(folder / "frame_3.tif", np.zeros((6, 8), np.uint16))
    with pytest.raises(UnusableStack, match=r"frame_3\.tif is 6 x 8 uint16, .*6 x 7"):
        read_stack(folder)
    tifffile.imwrite(folder / "frame_3.tif", np.zeros((6, 7), np.float32))
    with pytest.raises(UnusableStack, match=r"frame_3\.tif is 6 x 7 float32"):
        read_stack(folder)
    tifffile.imwrite(folder / "frame_3.tif", MOVIE)
    with pytest.raises(UnusableStack, match=r"frame_3\.tif holds 5 images itself"):
        read_stack(folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="holds no TIFF files"):
        read_stack(tmp_path)


def test_a_folder_of_one_movie_is_that_movie(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", MOVIE)
    np.testing.assert_array_equal(read_stack(tmp_path).data, MOVIE)


@st.composite
def parts(draw):
    """Draw an array, the range kept of each axis, and which axes are t, y, x."""
    source = everything(*draw(st.tuples(*[st.integers(1, 5)] * 4)))
    order = draw(st.permutations(range(4)))
    starts = [draw(st.integers(0, size - 1)) for size in source.shape]
    stops = [
        draw(st.integers(start + 1, size))
        for start, size in zip(starts, source.shape, strict=True)
    ]
    picks = list(map(range, starts, stops))
    picks[order[3]] = starts[order[3]]
    return source, picks, order[:3]


@settings(max_examples=60, deadline=None)
@given(parts(), st.data())
def test_a_view_is_indexed_as_the_array_it_shows(drawn, data):
    source, picks, order = drawn
    view = View(source, tuple(picks), tuple(order))
    kept = [p if isinstance(p, int) else slice(p.start, p.stop) for p in picks]
    left = [axis for axis in range(4) if axis in order]
    part = source[tuple(kept)].transpose([left.index(axis) for axis in order])
    np.testing.assert_array_equal(np.asarray(view), part)
    assert (view.shape, view.ndim, view.dtype) == (part.shape, 3, part.dtype)
    key = data.draw(hnp.basic_indices(part.shape))
    np.testing.assert_array_equal(view[key], part[key])
    frames = data.draw(st.lists(st.integers(-len(view), len(view) - 1)))
    np.testing.assert_array_equal(view[frames], part[np.array(frames, int)])


def test_a_view_refuses_other_indices():
    view = View(MOVIE, (range(5), range(16), range(17)), (0, 1, 2))
    with pytest.raises(IndexError):
        view[5]
    with pytest.raises(IndexError, match="at most 3"):
        view[0, 0, 0, 0]
    with pytest.raises(IndexError, match="integers and slices"):
        view[0, "x"]
    with pytest.raises(ValueError, match="leave to copy"):
        np.asarray(view, copy=False)


def test_four_gigabytes_open_in_two_seconds():
    frames, edge = 520, 2048  # 4.06 GiB of uint16
    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder, "plain.tif"), Path(folder, "packed.tif")
        tifffile.memmap(
            plain, shape=(frames, edge, edge), dtype=np.uint16, bigtiff=True
        ).flush()
        page = zlib.compress(np.full((edge, edge), 7, np.uint16).tobytes())
        tifffile.imwrite(
            packed,
            (page for _ in range(frames)),
            shape=(frames, edge, edge),
            dtype=np.uint16,
            compression="zlib",
            rowsperstrip=edge,
        )
        for path, value in ((plain, 0), (packed, 7)):
            start = time.perf_counter()
            stack = read_stack(path)
            frame = stack.data[frames // 2]
            # the acceptance limit; a read of all takes far longer
            assert time.perf_counter() - start < 2
            assert stack.shape == (frames, edge, edge)
            assert (np.asarray(frame) == value).all()
        del stack, frame
        gc.collect()


def test_real_colloids_keep_their_calibration():
    path = DATA / "colloids.tif"
    if not path.exists():
        pytest.skip("the real movie is not beside this checkout")
    stack = read_stack(path)
    assert stack.shape == (100, 256, 256)
    assert stack.pixel_size == pytest.approx((1 / 2.85, 1 / 2.85))
    assert stack.pixel_unit == "micrometer"
    assert stack.frame_interval_s == pytest.approx(1 / 24)
    assert stack.read().dtype == np.uint8
