"""What a benchmark found is kept as a page or a table."""

import numpy as np
import pandas as pd
import pytest

from napari_lowdose.benchmarks.page import write_rows

ROWS = (
    {"what": "a <fast> one", "rate": 12.3456789, "unit": "dB"},
    {"what": "another", "rate": float("nan"), "unit": "dB", "paper": 8.91},
)


def test_a_table_holds_every_digit_and_a_page_every_row(tmp_path):
    write_rows(ROWS, tmp_path / "rows.csv", name="speed", story="how fast it is")
    found = pd.read_csv(tmp_path / "rows.csv")
    assert list(found.columns) == ["what", "rate", "unit", "paper"]
    np.testing.assert_array_equal(found["rate"], [12.3456789, np.nan])
    write_rows(ROWS, tmp_path / "rows.html", name="speed", story="how fast it is")
    page = (tmp_path / "rows.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == 1 + len(ROWS)
    for cell in ("a &lt;fast&gt; one", "12.35", "–", "8.91"):
        assert f">{cell}</td>" in page
    assert "lowdose benchmark speed" in page


def test_other_files_are_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(ValueError, match=r"\.html or \.csv"):
        write_rows(ROWS, tmp_path / "rows.txt", name="speed", story="")
