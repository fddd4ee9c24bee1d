"""One page that shows all of a comparison and needs nothing beside it."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from napari_lowdose.compare import Result, compare, methods_of
from napari_lowdose.compare.report import report_of, write_report
from napari_lowdose.compare.report.curves import charts_of, residual_correlation
from napari_lowdose.compare.report.views import Place, Rulers, png_of
from napari_lowdose.compare.result import SCORES, Kind
from napari_lowdose.config import Comparison
from napari_lowdose.stack import Stack

VOID = {"meta", "input", "img", "br", "link", "hr"}
DRAWN = {"line", "polyline", "svg"}


class Page(HTMLParser):
    """Checks that what is opened is closed, and collects what there is."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def image_in(source):
    head, _, content = source.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(BytesIO(b64decode(content)))


@pytest.fixture(scope="module")
def text(pair, results):
    return report_of(results, truth=pair[1], frame=7, command="lowdose compare a & b")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_page_needs_nothing_beside_it(text, page):
    linked = {"src", "href", "data", "srcset", "action", "poster"}
    for _, attributes in page.tags:
        for name in linked & {*attributes}:
            assert attributes[name].startswith("data:")
    assert not page.all("link")
    assert "url(" not in text
    assert "@import" not in text
    assert "$" not in text.replace("${", "")


def test_every_result_has_its_pictures_row_curves_and_recipe(page, results):
    names = [result.name for result in results]
    pictures = [attributes["alt"] for attributes in page.all("img")]
    for name in [*names, "truth"]:
        shown = ["frame", "window", "x–t", "y–t"]
        shown += [] if name == "noisy" else ["noisy − frame"]
        assert [p for p in pictures if p.startswith(f"{name}: ")] == [
            f"{name}: {what}" for what in shown
        ]
    rows = [a["data-value"] for a in page.all("td") if a.get("class") == "text"]
    assert [value for value in rows if value in names] == names
    # PSNR, mean, and two correlations, the noisy stack left out of these
    assert len(page.all("svg")) == 4
    assert len(page.all("polyline")) == 2 * len(names) + 2 * (len(names) - 1)
    assert len(page.all("details")) == len(names) + 1
    words = " ".join(page.texts)
    assert "lowdose compare a & b" in words
    assert results[1].stack.recipe[-1]["input_sha256"] in words
    assert "numpy" in words
    assert "mean squared error against the truth" in words


def test_pictures_are_of_one_place_in_one_contrast(page, results):
    shown = {picture["alt"]: picture["src"] for picture in page.all("img")}
    noisy = image_in(shown["noisy: frame"])
    assert noisy.size == (48, 48)
    assert noisy.mode == "L"
    # of another frame, or in another contrast, the grey values would not be in line
    for result in results:
        grey = np.asarray(image_in(shown[f"{result.name}: frame"])).astype(float)
        counts = np.asarray(result.stack.data[7], float)
        inside = (grey > 0) & (grey < 255)
        slope = np.polyfit(counts[inside], grey[inside], 1)
        np.testing.assert_allclose(
            np.polyval(slope, counts[inside]), grey[inside], atol=1
        )
    assert image_in(shown["gaussian: x–t"]).size == (48, 16)


def test_scale_bars_have_the_length_they_say(page, pair):
    noisy, _ = pair
    pixel, symbol = noisy.pixel_size[1], Rulers.of(noisy).unit
    styles = [a.get("style", "") for a in page.all("div") if a.get("class") == "bar"]
    labels = [t for t in page.texts if t.endswith(f" {symbol}")]
    assert len(styles) == len(labels) > 20
    shares = [float(re.search(r"width:([\d.]+)%", style)[1]) for style in styles]
    lengths = {float(label.split()[0]) for label in labels}
    # of a frame's 48 pixels, and of a window's 24
    allowed = {
        round(100 * length / pixel / n, 2) for length in lengths for n in (48, 24)
    }
    assert {*shares} <= allowed


def test_the_best_of_each_score_is_marked_once(page, results):
    marked = [a for a in page.all("td") if "best" in a.get("class", "").split()]
    shown = {name for result in results for name in result.scores} | {"gain_db"}
    assert len(marked) == len([name for name in SCORES if name in shown])


def test_names_and_errors_cannot_break_the_page(pair):
    noisy, _ = pair
    nasty = '<script>alert("x")</script> & more'
    found = [
        Result("noisy", noisy, {}, 0.0, {}, kind=Kind.NOISY),
        Result(nasty, replace(noisy, name=nasty), {}, 1.0, {"a": nasty}),
        Result("bad", None, {}, np.nan, {}, error=nasty),
    ]
    text = report_of(found, command=nasty)
    page = Page(text)
    assert len(page.all("script")) == 1
    assert page.texts.count(nasty) >= 3


def test_without_truth_the_page_says_what_it_ranks_by(pair):
    noisy, _ = pair
    asked = Comparison(baselines=("gaussian",))
    page = Page(report_of(list(compare(noisy, methods=methods_of(asked)))))
    words = " ".join(page.texts)
    assert "lowest thinned error" in words
    assert not [a for a in page.all("img") if a["alt"].startswith("truth")]
    bare = [Result("noisy", noisy, {"css": 0.5}, 0.0, {}, kind=Kind.NOISY)]
    assert "cannot rank the methods" in report_of(bare)


@pytest.mark.parametrize("shape", [(1, 5, 7), (2, 1, 1), (3, 700, 20), (900, 4, 600)])
def test_stacks_of_any_shape_get_a_page(shape):
    rng = np.random.default_rng(0)
    noisy = Stack(rng.poisson(3.0, shape).astype(np.uint16), "odd")
    estimate = noisy.with_data(np.full(shape, 3, np.float32), "flat")
    found = [
        Result("noisy", noisy, {}, 0.0, {}, kind=Kind.NOISY),
        Result("flat", estimate, {}, 1.0, {}),
    ]
    page = Page(report_of(found, frame=10_000))
    for attributes in page.all("img"):
        assert max(image_in(attributes["src"]).size) <= 512
    assert "px" in " ".join(page.texts)


def test_the_window_lies_where_there_is_something_to_see():
    stack = np.ones((3, 100, 200), np.float32)
    stack[1, 70:74, 30:34] = 9
    place = Place.busiest(stack, 1)
    assert (
        place.window(stack[1]).sum() == pytest.approx(24 * 50 + 16 * 8)
        or place.window(stack[1]).max() == 9
    )
    assert place.rows[1] - place.rows[0] == 25
    assert place.columns[1] - place.columns[0] == 50
    corner = np.zeros((1, 64, 64), np.float32)
    corner[0, 63, 63] = 1
    assert Place.busiest(corner, 0).rows == (40, 64)


def test_white_noise_has_no_correlation_and_structure_has():
    rng = np.random.default_rng(0)
    white = rng.normal(size=(20, 64, 64)).astype(np.float32)
    # of 80,000 products, known to 0.0035; five of that for eight lags
    assert np.abs(residual_correlation(white, 2)).max() < 0.018
    steady = white[:1] + white
    found = residual_correlation(np.float32(steady), 0)
    # half of the variance stays from frame to frame; 4096 draws of it
    np.testing.assert_allclose(found, 0.5, atol=0.05)
    assert len(residual_correlation(white[:1], 0)) == 0
    assert len(residual_correlation(0 * white, 0)) == 0


def test_curves_of_long_movies_have_no_more_points_than_a_screen():
    stacks = {"noisy": np.random.default_rng(0).random((3000, 2, 4), np.float32)}
    (means,) = charts_of({**stacks}, "noisy", None)
    points = re.search(r'points="([^"]*)"', means)[1].split()
    assert 200 < len(points) <= 400


def test_greys_are_rounded_and_clipped():
    image = np.array([[-5.0, 0.0, 5.0, 10.0, 99.0]])
    grey = np.asarray(image_in(png_of(image, (0, 10))))
    assert grey.tolist() == [[0, 0, 128, 255, 255]]


def test_a_page_needs_the_noisy_stack(tmp_path, pair):
    failed = Result("bad", None, {}, 0.0, {}, error="no")
    with pytest.raises(ValueError, match="at least one result"):
        write_report([failed], tmp_path / "a.html")
    good = Result("good", pair[0], {}, 0.0, {})
    with pytest.raises(ValueError, match="the noisy stack"):
        write_report([failed, good], tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()
