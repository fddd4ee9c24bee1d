from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from qtpy.QtCore import Qt

from napari_lowdose.stack import Stack
from napari_lowdose.trust import decisions
from napari_lowdose.trust.brightness import spot_brightness
from napari_lowdose.trust.decisions import Decision
from napari_lowdose.widgets.findings import Findings
from napari_lowdose.widgets.inspect import InspectPanel
from napari_lowdose.widgets.layers import stack_from
from napari_lowdose.widgets.model_choice import announce_model
from napari_lowdose.widgets.particle_model import COLUMNS
from napari_lowdose.widgets.particle_table import ParticleTable
from napari_lowdose.widgets.verdicts import LOOKS

LEFT = Qt.MouseButton.LeftButton
KEEP, REJECT, UNDECIDED = Decision.KEEP, Decision.REJECT, Decision.UNDECIDED
VERDICTS = tuple(map(str, LOOKS))
START_MS = 120_000
NAMES = [column.name for column in COLUMNS]


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    """Begin without any decisions."""
    home = tmp_path / "home"
    monkeypatch.setattr(decisions, "user_data_path", lambda *_, **__: home)


def table_of(n_particles, shape, *, seed=0):
    """Make up particles, two frames each, and what is known of them."""
    rng = np.random.default_rng(seed)
    frames, height, width = shape
    first = rng.integers(0, frames - 1, n_particles)
    frame = np.stack([first, first + 1], 1).ravel()
    n_rows = len(frame)
    table = pd.DataFrame(
        {
            "frame": frame,
            "y": np.repeat(rng.uniform(0, height - 1, n_particles), 2),
            "x": np.repeat(rng.uniform(0, width - 1, n_particles), 2),
            "sigma": 1.6,
            "response": 1.0,
            "track": np.repeat(np.arange(n_particles), 2),
            "parent": -1,
        }
    )
    known = ("amplitude", "amplitude_std", "background", "evidence", "p")
    known += ("p_familywise", "held_out_evidence", "p_held_out", "support")
    known += ("direction_min", "direction_spread", "present", "p_phantom")
    table[[*known]] = rng.uniform(0, 1, (n_rows, len(known)))
    table["verdict"] = rng.choice(VERDICTS, n_rows)
    return table


def courses_of(table, n_frames):
    """Follow each track through all frames."""
    tracks = table.drop_duplicates("track")[["track", "y", "x"]]
    courses = tracks.merge(pd.DataFrame({"frame": np.arange(n_frames)}), how="cross")
    found = set(zip(table["track"], table["frame"], strict=True))
    pairs = zip(courses["track"], courses["frame"], strict=True)
    return courses.assign(
        present=0.5,
        log_odds=0.0,
        amplitude=20.0,
        amplitude_std=4.0,
        detected=[pair in found for pair in pairs],
    )


@pytest.fixture
def inspected(dock, movie, calibrated):
    """Show made-up findings on the movie."""

    def shown(*, show=False, particles=None, estimates=None):
        viewer, panel = dock("Inspect", show=show)
        layer = viewer.add_image(movie, name="movie", **calibrated)
        table = table_of(20, movie.shape) if particles is None else particles
        if estimates is None:
            estimates = dict.fromkeys(("xy", "xt", "yt", "fused"), movie + 0.5)
        courses = courses_of(table, len(movie))
        panel.show_findings(layer, stack_from(layer), table, courses, estimates)
        return viewer, panel

    return shown


def click_row(qtbot, panel, place):
    view = panel.table.view
    rect = view.visualRect(panel.table.model.index(place, NAMES.index("frame")))
    qtbot.mouseClick(view.viewport(), LEFT, pos=rect.center())


def column(panel, name):
    """Read what a column says, from top to bottom."""
    model, place = panel.table.model, NAMES.index(name)
    return [model.data(model.index(row, place)) for row in range(model.rowCount())]


def canvas_of(viewer):
    """Find the widget that is drawn on; napari gives no public way."""
    return viewer.window._qt_viewer.canvas.native


def look_at(viewer, layer, place):
    """Move a place of a layer to the middle of the canvas."""
    point = layer.data_to_world(place)
    viewer.dims.set_point(0, point[0])
    viewer.scene.camera.center = (0, *point[1:])
    viewer.scene.camera.zoom = 5


# -- the table --------------------------------------------------------------------


def test_the_most_suspicious_come_first_and_a_click_on_a_heading_sorts(
    inspected, qtbot
):
    _, panel = inspected()
    known = panel.findings.particles
    order = known["p_phantom"].sort_values(ascending=False).index
    assert [panel.table.model.number_at(row) for row in range(40)] == list(order)
    header = panel.table.view.horizontalHeader()
    place = NAMES.index("frame")
    middle = header.sectionViewportPosition(place) + header.sectionSize(place) // 2
    where = header.viewport().rect().center()
    where.setX(middle)
    qtbot.mouseClick(header.viewport(), LEFT, pos=where)
    frames = [int(text) for text in column(panel, "frame")]
    assert frames in (sorted(frames), sorted(frames, reverse=True))


def test_what_is_not_known_comes_last_in_either_order(qtbot):
    table = ParticleTable()
    qtbot.addWidget(table)
    particles = table_of(3, (16, 48, 48))
    particles["p_phantom"] = [0.1, np.nan, 0.9, 0.5, np.nan, 0.2]
    table.show_particles(particles, [UNDECIDED] * 6)
    place = NAMES.index("p_phantom")
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        table.view.horizontalHeader().setSortIndicator(place, order)
        last = {table.model.number_at(row) for row in (4, 5)}
        assert last == {1, 4}


def test_a_threshold_and_check_boxes_choose_rows_and_rings(inspected):
    viewer, panel = inspected()
    known = panel.findings.particles
    panel.table.least.setValue(0.6)
    panel.table.boxes["missed"].setChecked(False)
    kept = (known["p_phantom"] >= 0.6) & (known["verdict"] != "missed")
    assert 0 < kept.sum() < 40
    assert panel.table.count.text() == f"{kept.sum()} of 40"
    assert panel.table.model.rowCount() == kept.sum()
    np.testing.assert_array_equal(viewer.layers["movie rings"].shown, kept)
    panel.table.slider.setValue(0)
    panel.table.boxes["missed"].setChecked(True)
    assert panel.table.model.rowCount() == 40
    assert viewer.layers["movie rings"].shown.all()


def test_a_row_stays_current_when_others_are_sorted_or_hidden(inspected, qtbot):
    _, panel = inspected()
    click_row(qtbot, panel, 2)
    number = panel.table.current
    picked = []
    panel.table.picked.connect(picked.append)
    header = panel.table.view.horizontalHeader()
    header.setSortIndicator(NAMES.index("y"), Qt.SortOrder.AscendingOrder)
    assert panel.table.current == number
    panel.table.least.setValue(panel.findings.particles["p_phantom"][number] - 1e-6)
    assert panel.table.current == number
    assert picked == []


# -- a particle -------------------------------------------------------------------


def test_a_click_on_a_row_goes_there_and_shows_what_is_known(inspected, qtbot, movie):
    viewer, panel = inspected()
    click_row(qtbot, panel, 1)
    number = panel.table.model.number_at(1)
    row = panel.findings.row(number)
    frame, y, x = int(row["frame"]), round(row["y"]), round(row["x"])
    assert viewer.dims.current_step[0] == frame
    # the scale is 2 nm per pixel
    np.testing.assert_allclose(
        viewer.scene.camera.center[-2:], (2 * row["y"], 2 * row["x"])
    )
    cuts = panel.view.close_up.cuts
    assert list(cuts) == ["raw", "raw, 3 frames", "fused", "x-y", "x-t", "y-t"]
    top, left = max(0, y - 16), max(0, x - 16)
    around = movie[frame, top : y + 17, left : x + 17]
    np.testing.assert_array_equal(cuts["raw"].counts, around)
    np.testing.assert_array_equal(cuts["fused"].counts, around + 0.5)
    trace = panel.view.trace.trace
    np.testing.assert_array_equal(trace.frame, np.arange(16))
    assert set(trace.frame[trace.detected]) == set(
        panel.findings.particles["frame"][panel.findings.tracks_of([number])]
    )
    assert panel.view.words.text()
    assert panel.exports.movie.isEnabled()


def test_a_second_click_on_a_row_goes_back_there(inspected, qtbot):
    viewer, panel = inspected()
    click_row(qtbot, panel, 0)
    there = viewer.dims.current_step[0]
    viewer.dims.set_current_step(0, (there + 5) % 16)
    click_row(qtbot, panel, 0)
    assert viewer.dims.current_step[0] == there


def test_arrow_keys_walk_from_particle_to_particle(inspected, qtbot):
    viewer, panel = inspected()
    click_row(qtbot, panel, 0)
    qtbot.keyClick(panel.table.view, Qt.Key.Key_Down)
    row = panel.findings.row(panel.table.model.number_at(1))
    assert viewer.dims.current_step[0] == row["frame"]
    qtbot.keyClick(panel.table.view, Qt.Key.Key_Up)
    row = panel.findings.row(panel.table.model.number_at(0))
    assert viewer.dims.current_step[0] == row["frame"]


def test_a_click_in_the_plot_goes_to_that_frame(inspected, qtbot):
    viewer, panel = inspected(show=True)
    click_row(qtbot, panel, 0)
    plot = panel.view.trace
    plot.grab()  # painted, wherever the panel is scrolled to
    qtbot.mouseClick(plot, LEFT, pos=plot._area.topRight())
    assert viewer.dims.current_step[0] == 15
    qtbot.mouseClick(plot, LEFT, pos=plot._area.topLeft())
    assert viewer.dims.current_step[0] == 0


def test_the_denoised_line_is_in_the_unit_of_the_raw_dots():
    frames, height, width = 12, 40, 40
    rows, columns = np.mgrid[:height, :width]
    profile = np.exp(-((rows - 20) ** 2 + (columns - 20) ** 2) / (2 * 1.6**2))
    gain = 5.0
    fused = np.full((frames, height, width), 100.0) + gain * profile
    table = table_of(1, (frames, height, width)).assign(y=20.0, x=20.0, sigma=1.6)
    quanta = 2 * np.pi * 1.6**2
    table = table.assign(amplitude=quanta, amplitude_std=1.0)
    courses = courses_of(table, frames)
    findings = Findings(Stack(fused), table, courses, {"fused": fused})
    assert spot_brightness(fused, table)[0] == pytest.approx(gain * quanta)
    # made without noise: only rounding is left
    np.testing.assert_allclose(findings.trace(0).denoised, quanta, rtol=1e-6)


# -- rings ------------------------------------------------------------------------


def test_rings_lie_where_the_movie_lies_and_have_the_colour_of_their_verdict(
    inspected,
):
    viewer, panel = inspected()
    rings, like = viewer.layers["movie rings"], viewer.layers["movie"]
    np.testing.assert_array_equal(rings.scale, like.scale)
    assert rings.units == like.units
    for verdict, look in LOOKS.items():
        with_it = panel.findings.particles["verdict"] == verdict
        np.testing.assert_allclose(
            rings.border_color[with_it], [look.rgba] * with_it.sum(), atol=1e-6
        )
    assert not rings.face_color[:, 3].any()
    assert not rings.editable


def test_hovering_over_a_ring_tells_its_score(inspected):
    viewer, panel = inspected()
    row = panel.findings.row(7)
    rings = viewer.layers["movie rings"]
    assert viewer.layers.selection.active is rings
    place = rings.data_to_world(row[["frame", "y", "x"]].to_numpy(float))
    viewer.dims.set_point(0, place[0])
    status = rings.get_status(place, world=True)["value"]
    number = rings.get_value(place, world=True)
    other = panel.findings.row(int(number))
    assert f"p_phantom: {other['p_phantom']:.3g}"[:15] in status
    assert f"verdict: {other['verdict']}" in status
    assert "decision: undecided" in status


def test_a_ring_is_seen_in_its_own_frame_only(inspected):
    alone = table_of(1, (16, 48, 48)).iloc[:1].assign(frame=5, y=30.0, x=20.0)
    viewer, _ = inspected(particles=alone)
    rings = viewer.layers["movie rings"]
    for frame, seen in ((4, None), (5, 0), (6, None)):
        place = rings.data_to_world((frame, 30.0, 20.0))
        viewer.dims.set_point(0, place[0])
        assert rings.get_value(place, world=True) == seen


def test_a_click_on_a_ring_picks_its_row_whichever_layer_is_active(inspected, qtbot):
    alone = table_of(1, (16, 48, 48)).assign(y=30.0, x=20.0)
    viewer, panel = inspected(show=True, particles=alone)
    viewer.layers.selection.active = viewer.layers["movie"]
    rings = viewer.layers["movie rings"]
    look_at(viewer, rings, rings.data[1])
    qtbot.wait(50)
    canvas = canvas_of(viewer)
    assert panel.table.current is None
    qtbot.mouseClick(canvas, LEFT, pos=canvas.rect().center())
    assert panel.table.current == 1
    # beside it there is nothing to pick
    panel.table.pick(0)
    corner = canvas.rect().center()
    corner.setX(corner.x() + 200)
    qtbot.mouseClick(canvas, LEFT, pos=corner)
    assert panel.table.current == 0


# -- decisions --------------------------------------------------------------------


def test_keys_decide_and_decisions_are_known_again(inspected, qtbot, tmp_path):
    viewer, panel = inspected()
    first, second = (panel.table.model.number_at(row) for row in (0, 1))
    click_row(qtbot, panel, 0)
    qtbot.keyClick(panel.table.view, Qt.Key.Key_K)
    qtbot.keyClick(panel.table.view, Qt.Key.Key_Down)
    qtbot.keyClick(panel.table.view, Qt.Key.Key_R)
    assert column(panel, "decision")[:3] == ["✓", "✗", ""]
    written = viewer.layers["movie rings"].features["decision"]
    assert (written[first], written[second]) == ("keep", "reject")
    panel.exports.save_table(tmp_path / "particles.csv")
    qtbot.waitUntil(lambda: "saved" in panel.status.text(), timeout=20_000)
    saved = pd.read_csv(tmp_path / "particles.csv")
    assert saved["decision"][first] == "keep"
    assert list(saved.columns[:3]) == ["frame", "y", "x"]
    assert len(saved) == 40

    # the same counts in another layer, seen by another panel
    qtbot.wait(500)  # decisions are saved soon after the last one
    other = InspectPanel(viewer)
    viewer.window.add_dock_widget(other, name="again")
    again = viewer.add_image(viewer.layers["movie"].data.copy(), name="again")
    findings = panel.findings
    other.show_findings(
        again, stack_from(again), findings.particles, findings.courses, {}
    )
    assert column(other, "decision")[:3] == ["✓", "✗", ""]
    click_row(qtbot, other, 0)
    assert list(other.view.close_up.cuts) == ["raw", "raw, 3 frames"]
    qtbot.keyClick(other.table.view, Qt.Key.Key_U)
    assert column(other, "decision")[:3] == ["", "✗", ""]
    assert column(panel, "decision")[:3] == ["✓", "✗", ""]


def test_shift_decides_on_the_whole_track(inspected, qtbot):
    _, panel = inspected()
    click_row(qtbot, panel, 0)
    number = panel.table.current
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(panel.table.view, Qt.Key.Key_R, shift)
    track = panel.findings.particles["track"]
    rejected = [one is REJECT for one in panel.table.model.decisions]
    np.testing.assert_array_equal(rejected, track == track[number])


def test_keys_work_on_the_canvas_while_the_rings_are_active(inspected, qtbot):
    viewer, panel = inspected(show=True)
    click_row(qtbot, panel, 0)
    viewer.layers.selection.active = viewer.layers["movie rings"]
    qtbot.keyClick(canvas_of(viewer), Qt.Key.Key_K)
    assert panel.table.model.decisions[panel.table.current] is KEEP
    qtbot.keyClick(canvas_of(viewer), Qt.Key.Key_R)
    assert panel.table.model.decisions[panel.table.current] is REJECT


def test_decisions_are_kept_when_the_dock_closes_at_once(inspected, qtbot):
    viewer, panel = inspected()
    click_row(qtbot, panel, 0)
    qtbot.keyClick(panel.table.view, Qt.Key.Key_K)
    findings = panel.findings
    viewer.window.remove_dock_widget(panel)
    assert panel.rings._follow_click not in viewer.mouse_drag_callbacks
    found = decisions.decided(findings.particles, decisions.fingerprint(findings.stack))
    assert found.count(KEEP) == 1


# -- movies -----------------------------------------------------------------------


def test_a_crop_movie_shows_each_stack_in_each_frame(inspected, qtbot, tmp_path):
    _, panel = inspected()
    click_row(qtbot, panel, 0)
    panel.exports.save_movie(tmp_path / "particle.gif")
    qtbot.waitUntil(lambda: "saved" in panel.status.text(), timeout=20_000)
    crops, circles, first = panel.findings.crops(panel.table.current)
    assert list(crops) == ["raw", "fused", "x-y", "x-t", "y-t"]
    with_ring = {first + t for t, circle in enumerate(circles) if circle}
    track = panel.findings.tracks_of([panel.table.current])
    assert with_ring == set(panel.findings.particles["frame"][track])
    with Image.open(tmp_path / "particle.gif") as gif:
        assert gif.n_frames == len(circles)


# -- what can go wrong ------------------------------------------------------------


def test_nothing_found_is_said_and_leaves_nothing_to_click(inspected):
    viewer, panel = inspected(particles=table_of(1, (16, 48, 48)).iloc[:0])
    assert "no particles" in panel.status.text()
    assert panel.table.count.text() == "0 of 0"
    assert [layer.name for layer in viewer.layers] == ["movie"]
    assert not panel.exports.csv.isEnabled()
    assert not panel.exports.movie.isEnabled()


def test_what_was_not_tested_is_shown_without_scores(inspected, qtbot):
    table = table_of(5, (16, 48, 48))
    kept = ["frame", "y", "x", "sigma", "track", "support", "verdict"]
    viewer, panel = inspected()
    layer = viewer.layers["movie"]
    estimates = {"fused": layer.data.astype(np.float32)}
    panel.show_findings(
        layer,
        stack_from(layer),
        table[kept].assign(p_phantom=np.nan, verdict="supported"),
        pd.DataFrame(),
        estimates,
        ["The tests are switched off: neighbouring pixels share noise."],
    )
    assert set(column(panel, "p_phantom")) == {"–"}
    assert set(column(panel, "p_held_out")) == {"–"}
    assert "switched off" in panel.notes.text()
    click_row(qtbot, panel, 0)
    assert list(panel.view.close_up.cuts) == ["raw", "raw, 3 frames", "fused"]
    assert len(panel.view.trace.trace.frame) == 0
    panel.table.least.setValue(0.5)
    assert panel.table.model.rowCount() == 0


def test_layers_may_go_at_any_time(inspected, qtbot):
    viewer, panel = inspected()
    click_row(qtbot, panel, 0)
    viewer.layers.remove("movie rings")
    click_row(qtbot, panel, 1)
    qtbot.keyClick(panel.table.view, Qt.Key.Key_K)
    panel.table.boxes["missed"].setChecked(False)
    viewer.layers.remove("movie")
    click_row(qtbot, panel, 2)
    qtbot.keyClick(panel.table.view, Qt.Key.Key_R)
    assert panel.table.model.decisions[panel.table.current] is REJECT
    assert not panel.go.isEnabled()


def test_a_denoised_layer_of_another_shape_is_told_in_one_sentence(dock, qtbot, movie):
    viewer, panel = dock("Inspect")
    viewer.add_image(movie[:5], name="short")
    viewer.add_image(movie, name="movie")
    panel.noisy.value = viewer.layers["movie"]
    panel.denoised.value = viewer.layers["short"]
    qtbot.mouseClick(panel.go, LEFT)
    assert "shape" in panel.status.text()
    assert "\n" not in panel.status.text()
    assert not panel.running


def test_new_findings_take_the_place_of_the_old_ones(inspected, movie):
    viewer, panel = inspected()
    layer = viewer.layers["movie"]
    table = table_of(3, movie.shape, seed=1)
    courses = courses_of(table, len(movie))
    panel.show_findings(layer, stack_from(layer), table, courses, {})
    assert [layer.name for layer in viewer.layers] == ["movie", "movie rings"]
    assert len(viewer.layers["movie rings"].data) == 6
    assert panel.table.count.text() == "6 of 6"


# -- ten thousand -----------------------------------------------------------------


def test_ten_thousand_particles_are_picked_sifted_and_decided_on_at_once(inspected):
    _, panel = inspected(particles=table_of(5000, (16, 48, 48)))
    table = panel.table

    def median_ms(act, n_times=5):
        spent = []
        for number in range(n_times):
            start = time.process_time()
            act(number)
            spent.append(1000 * (time.process_time() - start))
        return np.median(spent)

    # time of the processor, as other tests may run beside this one
    assert median_ms(lambda number: table.pick(1000 * number)) < 100
    assert median_ms(lambda number: table.least.setValue(0.1 * (number + 1))) < 100
    order, header = Qt.SortOrder.AscendingOrder, table.view.horizontalHeader()
    assert median_ms(lambda number: header.setSortIndicator(number, order)) < 100
    assert median_ms(lambda number: panel._decide([number], KEEP, False)) < 100


def test_screenshot(inspected, qtbot, screenshot):
    viewer, panel = inspected(show=True)
    click_row(qtbot, panel, 1)
    assert panel.view.trace.trace is not None
    qtbot.wait(300)
    assert screenshot(viewer, "inspect").exists()


# -- the engine -------------------------------------------------------------------


def test_a_click_inspects_a_movie_and_puts_all_where_it_lies(
    dock, qtbot, movie, calibrated, tiny_base
):
    viewer, panel = dock("Inspect")
    like = viewer.add_image(movie, name="movie", **calibrated)
    announce_model(tiny_base)
    qtbot.mouseClick(panel.go, LEFT)
    assert not panel.null.isEnabled()
    qtbot.waitUntil(lambda: not panel.running, timeout=START_MS)
    assert panel.findings is not None, panel.status.text()
    names = [layer.name for layer in viewer.layers]
    assert names[0] == "movie"
    assert "movie fused" in names
    assert "movie residual" in names
    for layer in list(viewer.layers)[1:]:
        assert layer.units == like.units
        np.testing.assert_array_equal(layer.scale, like.scale)
    assert viewer.layers["movie fused"].visible
    assert not viewer.layers["movie residual"].visible
    assert list(panel.findings.estimates) == ["xy", "xt", "yt", "fused"]
    # an estimate that is a layer already is inspected without a model
    panel.noisy.value = like
    panel.denoised.value = viewer.layers["movie fused"]
    qtbot.mouseClick(panel.go, LEFT)
    qtbot.waitUntil(lambda: not panel.running, timeout=START_MS)
    assert list(panel.findings.estimates) == ["fused"], panel.status.text()
    assert sum(layer.name.startswith("movie fused") for layer in viewer.layers) == 1


def test_a_null_movie_tells_what_the_denoiser_invents(dock, qtbot, movie, tiny_base):
    viewer, panel = dock("Inspect")
    viewer.add_image(movie, name="movie")
    announce_model(tiny_base)
    qtbot.mouseClick(panel.null, LEFT)
    qtbot.waitUntil(lambda: not panel.running, timeout=START_MS)
    assert "per frame" in panel.invented.text(), panel.status.text()
    assert panel.findings is None
    assert not any(layer.visible for layer in list(viewer.layers)[1:])
