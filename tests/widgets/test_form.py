from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QScrollArea

from napari_lowdose import config as schemas
from napari_lowdose.config import PRESETS, Training
from napari_lowdose.noise import STAGES, Noise, Readout
from napari_lowdose.schema import Config
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.widgets.form import Form, label_of

SCHEMAS = [
    schema
    for schema in vars(schemas).values()
    if isinstance(schema, type) and issubclass(schema, Config) and schema is not Config
]
SCHEMAS += [Noise, *STAGES.values(), *(kind.settings for kind in SPECIMENS.values())]


@pytest.fixture
def shown(qtbot):
    def made(schema, **options):
        form = Form(schema, **options)
        qtbot.addWidget(form)
        return form

    return made


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_form_of_a_schema_holds_its_defaults(shown, schema):
    assert shown(schema).config == schema()


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_form_gives_back_the_config_it_is_given(shown, preset):
    form = shown(Training)
    form.config = preset
    assert form.config == preset


def test_numbers_of_any_size_pass_through_a_form_unchanged(shown):
    for config in (
        Noise(dose=4e-4, stages=(Readout(),), seed=2**32 - 1),
        Readout(gain=123456.789, offset=-0.1, readout_std=4e-4),
    ):
        form = shown(type(config))
        form.config = config
        assert form.config == config


def test_small_numbers_are_shown_and_can_be_typed_and_stepped(shown, qtbot):
    form = shown(Training)
    box = form.editor("learning_rate")
    box.setValue(4e-4)
    assert box.text() == "0.0004"
    box.stepBy(1)
    assert box.value() == pytest.approx(4.1e-4)
    box.selectAll()
    qtbot.keyClicks(box, "3e-5")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert form.config.learning_rate == 3e-5


def test_bounds_of_the_schema_hold_in_the_form(shown):
    form = shown(Training)
    box = form.editor("learning_rate")
    box.setValue(7)
    assert form.config.learning_rate == 1
    box.setValue(-1)
    assert form.config.learning_rate > 0


def test_what_a_form_cannot_hold_back_is_refused_in_one_sentence(shown):
    form = shown(Training)
    form.editor("patch_px").setValue(50)
    with pytest.raises(ValueError, match=r"^patch_px: .*multiple of 16") as refusal:
        _ = form.config
    assert "\n" not in str(refusal.value)


def test_every_editor_tells_its_sentence(shown):
    form = shown(Training)
    for leaf in Training.leaves():
        assert form.editor(*leaf.path).toolTip() == leaf.sentence


def test_a_form_tells_of_changes_by_the_user_and_by_code(shown, qtbot):
    form = shown(Training)
    with qtbot.waitSignal(form.changed):
        form.editor("epochs").setValue(3)
    with qtbot.waitSignal(form.changed):
        form.config = PRESETS["paper"]
    with qtbot.waitSignal(form.changed):
        form.editor("augment").click()


def test_hidden_fields_keep_their_value(shown):
    form = shown(Training, hide=("network", "planes"))
    form.config = PRESETS["paper"]
    assert form.config == PRESETS["paper"]
    assert ("network", "depth") not in form.values


def test_labels_are_words_with_units():
    assert label_of("patch_px") == "patch (px)"
    assert label_of("n_particles") == "particles"
    assert label_of("learning_rate") == "learning rate"
    assert label_of("tilt_deg") == "tilt (°)"


@pytest.mark.parametrize("schema", SCHEMAS)
def test_forms_fit_into_a_panel_without_being_cut(shown, qtbot, schema):
    area = QScrollArea()
    qtbot.addWidget(area)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    form = Form(schema)
    area.setWidget(form)
    area.resize(340, 500)
    area.show()
    # 14 px margins in the panel, 14 px scroll bar
    assert form.minimumSizeHint().width() <= 340 - 28
    labels = [label for label in form.findChildren(QLabel) if label.text()]
    assert all(label.sizeHint().width() <= label.width() for label in labels)
