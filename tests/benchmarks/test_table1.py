import pytest

from napari_lowdose.benchmarks import BENCHMARKS
from napari_lowdose.benchmarks.table1 import FILTERS
from napari_lowdose.benchmarks.table1.movies import COLUMNS

SEEN = (*FILTERS, "running_mean")  # one of those that are given whole movies


@pytest.fixture(scope="module")
def rows():
    rows = BENCHMARKS["table1"](small=True, filters=SEEN)
    return {row["what"]: row for row in rows}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_has_its_errors_and_ratios(rows, name):
    noisy, best = rows[f"{name} noisy"], rows[f"{name} gaussian"]
    assert noisy["gain dB"] == 0
    for method in (*SEEN, "own gaussian"):  # tuned filters help
        assert 0 < rows[f"{name} {method}"]["rate"] < noisy["rate"] / 2
        assert rows[f"{name} {method}"]["gain dB"] > 3  # which is this in decibels
    ratio = rows[f"{name} U-Net"]["rate"] / best["rate"]
    assert rows[f"{name} U-Net / gaussian"]["rate"] == pytest.approx(ratio)


@pytest.mark.parametrize("name", COLUMNS)
def test_the_truth_of_a_movie_itself_tunes_a_filter_best(rows, name):
    own, others = rows[f"{name} own gaussian"], rows[f"{name} gaussian"]
    assert own["rate"] < others["rate"]


def test_the_papers_figures_stand_beside_ours(rows):
    """Section 3.1; ratios and gains follow from its errors."""
    ratios = [rows[f"{name} U-Net / gaussian"]["paper"] for name in COLUMNS]
    assert [round(ratio, 2) for ratio in ratios] == [0.96, 0.94, 0.93]
    unet = rows["PN x-y U-Net"]
    assert (unet["paper"], round(unet["paper gain dB"], 2)) == (8.91, 12.93)
    assert "paper" not in rows["Pt x-y bilateral"]
