from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import zarr

from napari_lowdose.datasets import (
    DATASETS,
    Estimate,
    Writing,
    estimate,
    plan,
    write,
)
from napari_lowdose.errors import UnwritableFile

SMALL = Writing(n_items=3, frames=2, size=24, seed=5)
TINY = Estimate(seconds=0.0, n_bytes=1)


def planned(name, writing=SMALL):
    """Plan a set that stops after each item, as those of large items do."""
    return replace(plan(name, DATASETS[name], writing), items_per_task=1)


def written(name, path, writing=SMALL, *, workers=1):
    """Write a set to its end."""
    return list(write(planned(name, writing), path, item=TINY, workers=workers))


@pytest.mark.parametrize(
    ("name", "n_images"),
    [
        ("pn-junction", 5_120),
        ("catalyst", 300 * 128),
        ("n2a", 32_768),
        ("sbd", 18_000),
        ("one-pair", 3 * 220),
    ],
)
def test_a_whole_set_is_as_large_as_the_papers(name, n_images):
    whole = plan(name, DATASETS[name], Writing())
    assert whole.n_items * whole.frames == n_images
    assert sum(len(whole.items_of(task)) for task in range(whole.n_tasks)) == (
        whole.n_items
    )


@pytest.mark.parametrize("name", DATASETS)
def test_a_set_holds_its_arrays_and_says_what_it_is(name, tmp_path):
    assert written(name, tmp_path / "set.zarr")[-1] == 3
    group = zarr.open_group(tmp_path / "set.zarr", mode="r")
    for part, kind in DATASETS[name].parts.items():
        array = group[part]
        assert array.shape == (3, 2, 24, 24)
        assert array.dtype == kind
        assert array.metadata.dimension_names == ("item", "t", "y", "x")
        values = array[:]
        assert np.isfinite(values).all()
        assert all(item.std() > 0 for item in values)
    assert group["truth"][:].min() >= 0
    about = group.attrs["napari-lowdose"]
    assert (about["dataset"], about["seed"]) == (name, 5)


@pytest.mark.parametrize("name", DATASETS)
def test_an_item_depends_on_its_number_and_the_seed_alone(name):
    few, many = (
        plan(name, DATASETS[name], Writing(n_items=n, frames=2, size=24, seed=5))
        for n in (2, 40)
    )
    (first, dose), (again, same_dose) = few.make(1), many.make(1)
    assert dose == same_dose
    for part in first:
        np.testing.assert_array_equal(first[part], again[part])
    other = plan(name, DATASETS[name], Writing(n_items=2, frames=2, size=24, seed=6))
    assert not np.array_equal(other.make(1)[0]["truth"], first["truth"])
    assert not np.array_equal(few.make(0)[0]["truth"], first["truth"])


def test_noise_of_a_pair_is_drawn_twice_on_one_truth():
    made, photons = plan(
        "one-pair", DATASETS["one-pair"], Writing(frames=1, size=256)
    ).make(0)
    first, second = (made[part] - made["truth"] for part in ("first", "second"))
    assert photons == 100
    assert made["truth"].mean() == pytest.approx(photons, rel=1e-4)
    # a correlation of 65,536 independent pixels is zero to 0.004
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 5 * 0.004


def test_counts_of_sbd_are_those_of_vacuum_and_atoms():
    """Its clean images have 0.45 counts in vacuum, and 0.34 to 0.63 in all."""
    set_ = plan("sbd", DATASETS["sbd"], Writing(size=200))
    truth = np.stack([set_.make(index)[0]["truth"] for index in range(4)])
    assert truth.mean() == pytest.approx(0.45, abs=0.06)
    assert 0.2 < truth.min() < truth.max() < 0.9


def test_a_stopped_set_goes_on_where_it_was(tmp_path):
    path = tmp_path / "set.zarr"
    stopped = write(planned("n2a"), path, item=TINY, workers=1)
    assert list(islice(stopped, 3)) == [0, 1, 2]
    stopped.close()
    kept = zarr.open_group(path, mode="r")["truth"][:2]
    # What was finished is not made again: change it to see.
    zarr.open_group(path, mode="r+")["truth"][0] = 7
    assert written("n2a", path) == [2, 3]
    whole = zarr.open_group(path, mode="r")["truth"][:]
    assert (whole[0] == 7).all()
    np.testing.assert_array_equal(whole[1], kept[1])
    np.testing.assert_array_equal(whole[2], planned("n2a").make(2)[0]["truth"])
    assert written("n2a", path) == [3]


def test_processes_write_what_one_would(tmp_path):
    assert written("n2a", tmp_path / "one.zarr", workers=1)[-1] == 3
    assert sorted(written("n2a", tmp_path / "two.zarr", workers=2)) == [0, 1, 2, 3]
    one, two = (
        zarr.open_group(tmp_path / name, mode="r") for name in ("one.zarr", "two.zarr")
    )
    np.testing.assert_array_equal(one["truth"][:], two["truth"][:])
    assert two["finished"][:].all()


def test_another_set_or_folder_is_left_alone(tmp_path):
    written("n2a", tmp_path / "set.zarr")
    with pytest.raises(UnwritableFile, match=r"another set \(seed 5\)"):
        written("n2a", tmp_path / "set.zarr", SMALL.model_copy(update={"seed": 6}))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(UnwritableFile, match="something else"):
        written("n2a", tmp_path / "mine")
    with pytest.raises(UnwritableFile, match="make it first"):
        written("n2a", tmp_path / "nowhere" / "set.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "set.zarr"]
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_a_set_too_large_for_the_disk_is_refused_before_the_work(tmp_path):
    item = Estimate(0.0, shutil.disk_usage(tmp_path).free)
    work = write(planned("n2a"), tmp_path / "set.zarr", item=item, workers=1)
    assert next(work) == 0
    with pytest.raises(UnwritableFile, match="GB left"):
        next(work)


def test_the_estimate_is_about_what_is_stored(tmp_path):
    writing = Writing(n_items=4, frames=8, size=64)
    told = estimate(plan("catalyst", DATASETS["catalyst"], writing))
    written("catalyst", tmp_path / "set.zarr", writing)
    files = (tmp_path / "set.zarr").rglob("c/**/*")
    stored = sum(path.stat().st_size for path in files if path.is_file())
    # items differ by their dose, and so by how well their counts are packed
    assert stored / 4 == pytest.approx(told.n_bytes, rel=0.6)
    assert json.loads((tmp_path / "set.zarr" / "zarr.json").read_text())
