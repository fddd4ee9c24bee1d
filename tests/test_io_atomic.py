"""A file is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_lowdose.errors import UnwritableFile
from napari_lowdose.io.atomic import replacing


def test_the_file_appears_with_its_content_and_nothing_else(tmp_path):
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".txt"
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def write_half(target, failure):
    with replacing(target) as temporary:
        temporary.write_text("half")
        raise failure


@pytest.mark.parametrize(
    "failure", [OSError(28, "full"), ValueError("odd"), SystemExit]
)
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, failure):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises((UnwritableFile, ValueError, SystemExit)):
        write_half(target, failure)
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_is_one_sentence(tmp_path):
    with pytest.raises(UnwritableFile, match=r"a\.txt: the disk is full; free some"):
        with replacing(tmp_path / "a.txt"):
            raise OSError(28, "No space left on device")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UnwritableFile, match=f"no folder {tmp_path / 'no'}; make it"):
        with replacing(tmp_path / "no" / "a.txt"):
            raise AssertionError("the block must not run")


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(UnwritableFile, match="is a file, not a folder"):
        with replacing(tmp_path / "a" / "b.txt") as temporary:
            temporary.write_text("x")


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(UnwritableFile, match="that is a folder"):
        with replacing(tmp_path):
            raise AssertionError("the block must not run")


def test_a_device_is_not_replaced():
    with pytest.raises(UnwritableFile, match="a device"):
        with replacing("/dev/null"):
            raise AssertionError("the block must not run")
    assert not Path("/dev/null").is_file()


def test_a_link_is_followed(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    link.symlink_to(real)
    with replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_folder_on_a_read_only_file_system_is_one_sentence():
    # /proc refuses new files also to root
    with pytest.raises(UnwritableFile, match=r"cannot write /proc/a\.txt"):
        with replacing("/proc/a.txt") as temporary:
            temporary.write_text("x")
