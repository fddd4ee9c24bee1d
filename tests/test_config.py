import pytest

from napari_lowdose import config
from napari_lowdose.config import PRESETS, Network, Training
from napari_lowdose.noise import STAGES, Noise
from napari_lowdose.schema import Config, checked
from napari_lowdose.specimens import SPECIMENS

SCHEMAS = [
    kind
    for kind in vars(config).values()
    if isinstance(kind, type) and issubclass(kind, Config) and kind is not Config
]
SCHEMAS += [Noise, *STAGES.values(), *(kind.settings for kind in SPECIMENS.values())]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_field_says_what_it_decides(schema):
    for leaf in schema.leaves():
        assert leaf.sentence.endswith("."), leaf.path
        assert len(leaf.sentence) <= 100, leaf.path


@pytest.mark.parametrize("schema", SCHEMAS)
def test_leaves_rebuild_the_defaults(schema):
    values = {leaf.path: leaf.default for leaf in schema.leaves()}
    assert schema().replaced(values) == schema()


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_come_back_from_json(preset):
    training = PRESETS[preset]
    assert Training.model_validate_json(training.model_dump_json()) == training


def test_paper_preset_is_the_paper():
    paper = PRESETS["paper"]
    assert paper.network == Network(depth=4, width=64)
    assert (paper.batch, paper.epochs, paper.learning_rate) == (4, 50, 1e-3)


def test_nested_values_are_replaced_by_path():
    assert Training().replaced({("network", "depth"): 4}).network.depth == 4


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("epochs",), 0, "epochs: input should be greater than or equal to 1, got 0"),
        (("network", "depth"), 9, "network.depth"),
        (("planes",), ("zz",), "planes"),
        (("learning_rate",), float("nan"), "learning_rate"),
    ],
)
def test_values_out_of_bounds_are_refused_in_one_sentence(path, value, said):
    with pytest.raises(ValueError, match=said) as refused:
        Training().replaced({path: value})
    assert "\n" not in str(refused.value)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="epoks"):
        checked(Training, {"epoks": 3})


def test_open_choices_come_from_their_registry():
    (leaf,) = [leaf for leaf in Training.leaves() if leaf.name == "objective"]
    assert leaf.registry.choices()[:2] == ("auto", "supervised")
