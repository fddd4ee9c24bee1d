import pytest

from napari_lowdose.benchmarks import quality
from napari_lowdose.benchmarks.fine_tuning import measure_fine_tuning


def test_each_stack_has_a_row_and_never_becomes_worse_by_the_loss(
    monkeypatch, tiny_base
):
    recipes = quality.RECIPES
    monkeypatch.setattr(quality.stacks, "RECIPES", (recipes[0], recipes[7]))
    rows = list(measure_fine_tuning(str(tiny_base), seconds=1.0, small=True))
    assert [row["what"] for row in rows] == ["slow catalyst", "pn junction", "all"]
    for row in rows[:-1]:
        assert row["held-out loss"] <= 1
        assert row["rate"] == pytest.approx(row["fine-tuned"] - row["blind"])
        assert row["better"] or row["rate"] == pytest.approx(0, abs=1e-9)
    assert rows[-1]["rate"] == pytest.approx((rows[0]["rate"] + rows[1]["rate"]) / 2)
