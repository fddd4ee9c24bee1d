"""The command line: compare with its cache and its report, denoise a folder."""

from __future__ import annotations

import json

import pytest
import tifffile

from napari_lowdose.cli import main
from napari_lowdose.io import read_stack, write_stack


@pytest.fixture
def here(tmp_path, monkeypatch, small_pair):
    """A folder with a movie and its truth, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    for name, stack in zip(("noisy", "truth"), small_pair, strict=True):
        write_stack(stack, f"{name}.tif")
    return tmp_path


def rows_of(capsys, line):
    assert main([*line.split(), "--json"]) == 0
    return json.loads(capsys.readouterr().out)["table"]


def test_compare_answers_from_the_cache_unless_told_not_to(here, capsys):
    line = "compare noisy.tif --truth truth.tif --model none --baselines gaussian"
    line += " --estimates truth.tif -o results"
    first = rows_of(capsys, line)
    assert [row["method"] for row in first] == [
        "noisy",
        "gaussian",
        "truth (" + here.name + ")",
    ]
    assert not any(row.get("cached") for row in first)
    again = rows_of(capsys, line)
    assert all(row.pop("cached") for row in again)
    assert again == first
    assert not any(row.get("cached") for row in rows_of(capsys, f"{line} --no-cache"))
    page = (here / "results" / "report.html").read_text(encoding="utf-8")
    assert "lowdose compare noisy.tif --truth=truth.tif --model=none" in page


def test_several_models_stand_side_by_side(here, tiny_base, capsys):
    (here / "b").mkdir()
    (here / "b" / "tiny.lowdose").write_bytes(tiny_base.read_bytes())
    models = f"{tiny_base},b/tiny.lowdose"
    line = f"compare noisy.tif --models {models} --baselines gaussian -o out"
    rows = rows_of(capsys, f"{line} --no-each-plane")
    names = [f"tiny ({tiny_base.parent.name})", "tiny (b)"]
    assert [row["method"] for row in rows][2:] == names
    # the same weights, and the same thinned movie
    assert rows[2]["thinned_mse"] == rows[3]["thinned_mse"]
    stacks = [read_stack(path) for path in sorted((here / "out").glob("tiny*.tif"))]
    step = stacks[0].recipe[-1]
    assert {"model_sha256", "input_sha256", "versions", "comparison"} <= {*step}
    assert step["napari-lowdose"]


def test_each_movie_of_a_folder_is_denoised_and_a_bad_one_told(here, tiny_base, capsys):
    movies = here / "movies"
    movies.mkdir()
    for name in ("noisy", "truth"):
        (here / f"{name}.tif").rename(movies / f"{name}.tif")
    (movies / "broken.tif").write_bytes(b"II*\0")
    assert main(["denoise", "movies", "--model", str(tiny_base), "-o", "out/"]) == 2
    said = capsys.readouterr()
    assert "broken.tif" in said.err
    assert "1 of 3 files were not denoised: broken.tif" in said.err
    names = sorted(path.name for path in (here / "out").iterdir())
    assert names == ["noisy-denoised.tif", "truth-denoised.tif"]
    alone = ["denoise", "movies/noisy.tif", "--model", str(tiny_base), "-o", "one.tif"]
    assert main(alone) == 0
    one, other = (tifffile.imread(p) for p in ("one.tif", "out/noisy-denoised.tif"))
    assert (one == other).all()
    assert main(["denoise", "movies", "--model", str(tiny_base), "-o", "movies"]) == 2
    assert "expected another folder" in capsys.readouterr().err
