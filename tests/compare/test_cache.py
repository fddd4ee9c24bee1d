"""What was asked before is answered at once, and never for another question."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from napari_lowdose.compare import Cache, Contest, compare, methods_of
from napari_lowdose.compare.cache import Entry
from napari_lowdose.compare.fingerprint import sha256_of
from napari_lowdose.compare.method import key_of
from napari_lowdose.config import Comparison, Denoising, Fusion
from napari_lowdose.stack import Stack

QUICK = Comparison(baselines=("gaussian",))


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def test_asking_again_gives_the_same_without_any_work(small_pair, smoothing, cache):
    noisy, _ = small_pair
    first = list(compare(noisy, methods=[*methods_of(QUICK), smoothing], cache=cache))

    def must_not_run(*_):
        raise AssertionError("the model was opened again")

    # Another name for the same file is no other question.
    renamed = replace(smoothing, name="again", open=must_not_run)
    again = list(compare(noisy, methods=[*methods_of(QUICK), renamed], cache=cache))
    assert not any(result.cached for result in first)
    assert all(result.cached for result in again)
    assert [r.name for r in again][-2:] == ["again yt", "again"]
    for old, new in zip(first, again, strict=True):
        np.testing.assert_array_equal(new.stack.data, old.stack.data)
        assert new.stack.data.dtype == old.stack.data.dtype
        np.testing.assert_equal(new.scores, old.scores)
        np.testing.assert_equal(new.std_errors, old.std_errors)
        assert new.stack.recipe == old.stack.recipe
        assert (new.seconds, new.notes, new.criterion, new.kind) == (
            old.seconds,
            old.notes,
            old.criterion,
            old.kind,
        )
    assert again[0].stack is noisy


def test_any_other_input_truth_setting_or_model_is_another_question(
    small_pair, smoothing, tmp_path
):
    noisy, truth = small_pair
    (baseline,) = methods_of(QUICK)

    def asked(method=smoothing, stack=noisy, truth=None, **settings):
        comparison = QUICK.model_copy(update=settings)
        return key_of(method, Contest.prepared(stack, truth, comparison))

    changed = noisy.read().copy()
    changed[3, 4, 5] += 1
    other_file = tmp_path / "other.lowdose"
    other_file.write_bytes(b"other weights")
    copied_file = tmp_path / smoothing.path.rpartition("/")[2]
    copied_file.write_bytes(b"weights")
    keys = [
        asked(),
        asked(stack=noisy.with_data(changed, "changed")),
        asked(stack=noisy.with_data(noisy.read().astype(np.float64), "wider")),
        asked(truth=truth),
        asked(seed=1),
        asked(gain=2.0, truth=truth),
        asked(denoising=Denoising(fusion=Fusion.VETO)),
        asked(each_plane=False),
        asked(method=replace(smoothing, path=str(other_file))),
        asked(method=baseline),
    ]
    assert len({*keys}) == len(keys)
    # What a method does not heed, and where its file lies, make no difference.
    assert asked(method=replace(smoothing, path=str(copied_file))) == keys[0]
    assert asked(baselines=()) == asked(cache=False) == keys[0]
    assert asked(method=baseline, each_plane=False) == keys[-1]


def test_the_place_of_an_array_in_memory_is_no_part_of_its_hash():
    counts = np.arange(24.0).reshape(2, 3, 4)
    turned = counts.transpose(2, 1, 0).copy().transpose(2, 1, 0)
    assert sha256_of(turned) == sha256_of(counts)
    assert sha256_of(counts.reshape(3, 2, 4)) != sha256_of(counts)
    assert sha256_of(counts.astype(np.float32)) != sha256_of(counts)


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "no list", "no json"])
def test_damaged_entries_are_made_anew(small_pair, cache, damage):
    noisy, _ = small_pair
    ask = lambda: list(compare(noisy, comparison=QUICK, cache=cache))  # noqa: E731
    first = ask()
    for place in cache.folder.iterdir():
        files = [place / "entries.json"] if "no" in damage else [*place.glob("*.npy")]
        for file in files:
            content = bytearray(file.read_bytes())
            content[-1] ^= 255
            if damage == "cut":
                file.write_bytes(content[:-40])
            elif damage == "changed":
                file.write_bytes(content)
            elif damage == "no json":
                file.write_text('{"entries": [1]')
            else:
                file.unlink()
    again = ask()
    assert not again[-1].cached
    np.testing.assert_array_equal(again[-1].stack.data, first[-1].stack.data)
    assert ask()[-1].cached


def test_what_was_not_asked_for_longest_goes_first(tmp_path):
    array = np.zeros((10, 10, 10), np.float32)  # 4000 bytes and a header of 128
    cache = Cache(tmp_path, limit_bytes=13_500)
    for age, key in enumerate("abc"):
        cache.keep(key, [Entry({}, array)])
        os.utime(tmp_path / key / "entries.json", (1000 + age, 1000 + age))
    assert cache.find("a") is not None  # the oldest, asked for now
    cache.keep("d", [Entry({}, array)])
    found = {key for key in "abcd" if cache.find(key) is not None}
    assert found == {"a", "c", "d"}
    # What is larger than all the room is not kept, and drives out nothing.
    cache.keep("e", [Entry({}, np.zeros((10, 10, 100), np.float32))])
    assert {path.name for path in tmp_path.iterdir()} == found


def test_a_cache_that_cannot_be_written_costs_no_result(small_pair, tmp_path):
    noisy, _ = small_pair
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    with pytest.warns(UserWarning, match="not kept for the next time"):
        found = list(compare(noisy, comparison=QUICK, cache=cache))
    assert [result.name for result in found] == ["noisy", "gaussian"]
    assert not any(result.error for result in found)


def test_failures_are_not_kept(cache):
    rng = np.random.default_rng(0)
    narrow = Stack(rng.normal(5, 1, (8, 3, 40)).astype(np.float32), "narrow")
    for _ in range(2):
        with pytest.warns(UserWarning, match="does not look like Poisson counts"):
            found = list(compare(narrow, comparison=QUICK, cache=cache))
        assert found[-1].error
        assert not found[-1].cached
