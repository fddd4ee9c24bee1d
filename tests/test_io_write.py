"""Stacks are written whole with scale and history, and read back the same."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from enum import StrEnum
from pathlib import Path

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_lowdose.errors import UnwritableFile
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.stack import Stack

SIZES = st.floats(1e-9, 1e9)
UNITS = st.sampled_from(["angstrom", "nanometer", "micrometer", "meter"])
SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, max_side=5)
STORED = "uint8 uint16 int8 int16 int32 uint32 float32 float64".split()
MOVIE = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)


class Colour(StrEnum):
    RED = "red"


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(STORED), st.sampled_from([".tif", ".ome.tif"]))
def test_reading_undoes_writing(data, dtype, suffix):
    scaled = data.draw(st.booleans())
    stack = Stack(
        data.draw(hnp.arrays(dtype, SHAPES)),
        name="movie",
        pixel_size=(data.draw(SIZES), data.draw(SIZES)) if scaled else None,
        pixel_unit=data.draw(UNITS) if scaled else "pixel",
        frame_interval_s=data.draw(SIZES) if scaled else None,
        recipe=({"step": data.draw(st.text()), "seed": 3},),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = write_stack(stack, Path(folder, f"movie{suffix}"), dtype=dtype)
        back = read_stack(path)
        assert os.listdir(folder) == [f"movie{suffix}"]
    np.testing.assert_array_equal(back.data, stack.data)
    assert back.data.dtype == dtype
    assert (back.name, back.recipe) == (stack.name, stack.recipe)
    # ImageJ keeps pixels per unit as a fraction of 32-bit integers
    assert back.scale == pytest.approx(stack.scale, rel=1e-6)
    assert back.units == stack.units


def test_float32_unless_told(tmp_path):
    write_stack(Stack(MOVIE.astype(np.int64)), tmp_path / "a.tif")
    assert read_stack(tmp_path / "a.tif").data.dtype == np.float32


@pytest.mark.parametrize(("name", "is_ome"), [("a.tif", False), ("a.OME.tiff", True)])
def test_the_name_decides_the_format(tmp_path, name, is_ome):
    write_stack(Stack(MOVIE), tmp_path / name)
    with tifffile.TiffFile(tmp_path / name) as tif:
        assert (tif.is_imagej, bool(tif.is_ome)) == (not is_ome, is_ome)
        assert tif.series[0].axes == "TYX"


def test_what_imagej_cannot_hold_is_ome(tmp_path):
    write_stack(Stack(MOVIE), tmp_path / "a.tif", dtype=np.int32)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_ome


def test_integers_are_rounded_clipped_and_counted(tmp_path):
    values = np.array([[[-3.0, 0.6, 254.4, 300.0, np.inf]]])
    with pytest.warns(UserWarning, match=r"3 of 5 values of 'a' .* uint8 \(0 to 255\)"):
        write_stack(Stack(values, name="a"), tmp_path / "a.tif", dtype=np.uint8)
    assert list(read_stack(tmp_path / "a.tif").data.ravel()) == [0, 1, 254, 255, 255]


@given(st.sampled_from(STORED[:6]), hnp.arrays("i8", (2, 3, 4)))
@settings(max_examples=40, deadline=None)
def test_clipping_is_counted_exactly(dtype, values):
    limits = np.iinfo(dtype)
    expected = int(np.sum((values < limits.min) | (values > limits.max)))
    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(record=True) as seen,
    ):
        warnings.simplefilter("always")
        path = write_stack(Stack(values), Path(folder, "a.tif"), dtype=dtype)
        back = read_stack(path)
    counts = [int(str(w.message).split()[0]) for w in seen]
    assert counts == ([expected] if expected else [])
    np.testing.assert_array_equal(back.data, values.clip(limits.min, limits.max))


def test_64_bit_integers_are_stored_in_32(tmp_path):
    write_stack(Stack(MOVIE), tmp_path / "a.tif", dtype=np.int64)
    assert read_stack(tmp_path / "a.tif").data.dtype == np.int32


def test_nan_becomes_no_integer(tmp_path):
    target = tmp_path / "a.tif"
    target.write_text("old")
    values = MOVIE.copy()
    values[1, 0, 0] = np.nan
    with pytest.raises(UnwritableFile, match="as uint16: frame 1 of 'stack' has NaN"):
        write_stack(Stack(values), target, dtype=np.uint16)
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.tif"]


def test_other_types_and_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected an integer or float type"):
        write_stack(Stack(MOVIE), tmp_path / "a.tif", dtype="complex64")
    with pytest.raises(UnwritableFile, match=r"a name that ends in \.tif"):
        write_stack(Stack(MOVIE), tmp_path / "a.png")
    with pytest.raises(UnwritableFile, match="there is no folder"):
        write_stack(Stack(MOVIE), tmp_path / "no" / "a.tif")
    with pytest.raises(UnwritableFile, match=r"cannot write /proc/a\.tif"):
        write_stack(Stack(MOVIE), "/proc/a.tif")


def test_a_recipe_of_enums_tuples_and_numpy_numbers_is_kept_as_plain_values(tmp_path):
    step = {"colours": (Colour.RED,), "size": np.float32(2), "at": np.arange(2)}
    write_stack(Stack(MOVIE, recipe=(step,)), tmp_path / "a.tif")
    (back,) = read_stack(tmp_path / "a.tif").recipe
    assert back == {"colours": ["red"], "size": 2.0, "at": [0, 1]}


def test_a_lazily_read_stack_can_replace_its_own_file(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_lowdose.io.tiff.LAZY_ABOVE_BYTES", -1)
    path = write_stack(Stack(MOVIE), tmp_path / "a.tif")
    stack = read_stack(path)
    assert isinstance(stack.data, np.memmap)
    write_stack(stack, path)
    np.testing.assert_array_equal(read_stack(path).data, MOVIE)


FULL_DISK = """
import resource, signal, sys
import numpy as np
from napari_lowdose.errors import UnwritableFile
from napari_lowdose.io import write_stack
from napari_lowdose.stack import Stack
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))
try:
    write_stack(Stack(np.ones((int(sys.argv[2]), 64, 64))), sys.argv[1])
except UnwritableFile as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are of POSIX")
@pytest.mark.parametrize("frames", [4, 40])  # only the tags do not fit; no frame does
@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, frames, name):
    target = tmp_path / name
    target.write_text("old")
    command = [sys.executable, "-W", "error", "-c", FULL_DISK, str(target)]
    run = subprocess.run(
        [*command, str(frames)], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith(f"cannot write {target}: the disk is full, or")
    assert run.stdout.count("\n") == 1
    assert "Error" not in run.stderr
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == [name]
