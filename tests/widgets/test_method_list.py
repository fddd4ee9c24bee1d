"""The list of what can be compared: what is checked, greyed out, running."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_lowdose.compare.offers import baseline_offers, model_offers, own_offer
from napari_lowdose.config import Comparison
from napari_lowdose.stack import Stack
from napari_lowdose.widgets.method_list import MethodList
from napari_lowdose.widgets.method_row import NAME, STATE, Standing, State

LEFT = Qt.MouseButton.LeftButton
OFFERS = [*baseline_offers(), *model_offers([])]


def stack(*shape, name="movie"):
    return Stack(np.zeros(shape, np.uint16), name)


@pytest.fixture
def methods(qtbot):
    made = MethodList()
    qtbot.addWidget(made)
    made.resize(320, 400)
    made.show()
    qtbot.waitExposed(made)
    made.offer(OFFERS, stack(16, 32, 32))
    return made


@pytest.fixture
def click_box(methods, qtbot):
    """Click the check box of a method."""

    def clicked(source):
        row = row_of(methods, source)
        methods.scrollToItem(row)
        rect = methods.visualItemRect(row)
        y = rect.center().y()
        # the box stands at the beginning of the row
        point = rect.topLeft()
        point.setX(rect.left() + 10)
        point.setY(y)
        qtbot.mouseClick(methods.viewport(), LEFT, pos=point)

    return clicked


def row_of(methods, source):
    (offer,) = (one for one in methods.offers if one.source == source)
    return methods.row_of(offer)


def chosen(methods):
    return [offer.source for offer in methods.chosen]


def begin(methods, *sources):
    """Begin a comparison of some, under their own names."""
    offers = [o for o in methods.offers if o.source in sources]
    methods.begin({offer.source: offer for offer in offers})


def test_few_are_checked_at_first_and_a_click_checks_more(methods, click_box, qtbot):
    usual = [*Comparison().baselines, "accurate"]
    assert chosen(methods) == usual
    with qtbot.waitSignal(methods.changed, timeout=1000):
        click_box("wavelet")
    assert {*chosen(methods)} == {*usual, "wavelet"}
    click_box("accurate")
    assert "accurate" not in chosen(methods)


def test_what_cannot_run_is_greyed_out_with_its_reason(methods, click_box):
    click_box("pgure_svt")
    row = row_of(methods, "pgure_svt")
    methods.offer(OFFERS, stack(3, 32, 32))
    assert row.isDisabled()
    assert row.text(STATE) == "needs 5 frames"
    assert "expected at least 5 frames" in row.toolTip(NAME)
    assert "pgure_svt" not in chosen(methods)
    assert "gaussian" in chosen(methods)
    click_box("pgure_svt")
    assert "pgure_svt" not in chosen(methods)
    # what was wanted is remembered until it can run again
    methods.offer(OFFERS, stack(16, 32, 32))
    assert not row.isDisabled()
    assert row.text(STATE) == ""
    assert "pgure_svt" in chosen(methods)


def test_nothing_runs_on_what_is_no_stack(methods):
    methods.offer(OFFERS, None, "expected a (t, y, x) image layer")
    assert methods.chosen == ()
    row = row_of(methods, "gaussian")
    assert row.isDisabled()
    assert "expected a (t, y, x)" in row.toolTip(STATE)


def test_each_row_says_how_far_its_method_is(methods):
    sources = ("gaussian", "wiener", "wavelet", "accurate")
    begin(methods, *sources)
    rows = {source: row_of(methods, source) for source in sources}
    assert {row.text(STATE) for row in rows.values()} == {"waiting"}
    assert methods.busy
    methods.tell("gaussian", Standing(State.DONE, seconds=1.234))
    methods.tell("wiener", Standing(State.DONE, seconds=1.0, cached=True))
    methods.tell("wavelet", Standing(State.FAILED, reason="the memory is full"))
    running = Standing(State.RUNNING)
    methods.tell("accurate", running.later(0.42, 65))
    assert [row.text(STATE) for row in rows.values()] == [
        "done in 1.2 s",
        "from cache",
        "failed",
        "42%, 1 min left",
    ]
    assert rows["wavelet"].toolTip(STATE) == "the memory is full"
    assert "1 s" in rows["wiener"].toolTip(STATE)
    # the results of a comparison stay in view when layers come and go
    methods.tell("accurate", Standing(State.CANCELLED))
    assert not methods.busy
    own = own_offer(stack(16, 32, 32, name="mine"), "1")
    methods.offer([*OFFERS, own], stack(16, 32, 32))
    assert row_of(methods, "wavelet").text(STATE) == "failed"
    assert row_of(methods, "accurate").text(STATE) == "cancelled"
    methods.clear_states()
    assert row_of(methods, "wavelet").text(STATE) == ""


def test_the_seconds_of_a_running_method_go_on(methods, qtbot):
    begin(methods, "gaussian")
    methods.tell("gaussian", Standing(State.RUNNING))
    row = row_of(methods, "gaussian")
    assert row.text(STATE) == "running 0 s"
    qtbot.waitUntil(lambda: row.text(STATE) == "running 1 s", timeout=4000)


def test_a_small_button_cancels_one_method_that_is_not_over(methods, qtbot):
    begin(methods, "gaussian", "wiener")
    methods.tell("gaussian", Standing(State.DONE))
    assert row_of(methods, "gaussian").cancel_button is None
    assert row_of(methods, "wavelet").cancel_button is None
    button = row_of(methods, "wiener").cancel_button
    assert button.isVisible()
    with qtbot.waitSignal(methods.cancelled, timeout=1000) as signal:
        qtbot.mouseClick(button, LEFT)
    assert signal.args == ["wiener"]
    methods.tell("wiener", Standing(State.CANCELLED))
    assert row_of(methods, "wiener").cancel_button is None
