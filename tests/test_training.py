import numpy as np
import pytest
import torch

from napari_lowdose.config import Network, Training
from napari_lowdose.errors import CheckpointMismatch, UnusableStack, UnwritableFile
from napari_lowdose.noise import Noise, Poisson, Readout, add_noise
from napari_lowdose.noise.stages import Response
from napari_lowdose.normalization import Normalizer
from napari_lowdose.planes import Plane
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.training import (
    Epoch,
    Example,
    Step,
    describe_checkpoint,
    fit,
    fitting,
    load_denoiser,
    load_run,
    paired,
    prepare,
    save_run,
    split,
)
from napari_lowdose.training.examples import chosen_objective
from napari_lowdose.training.patches import draw, validation

SMALL = Training(
    epochs=4,
    steps_per_epoch=3,
    batch=4,
    patch_px=16,
    network=Network(depth=2, width=4),
)


@pytest.fixture
def examples(noisy, truth):
    return [Example(noisy, truth)]


def finished(examples, training=SMALL):
    run, parts = prepare(examples, training)
    return run, list(fit(run, parts))


def weights_of(run):
    return {
        f"{plane}.{name}": value.clone()
        for plane, state in run.planes.items()
        for name, value in state.network.state_dict().items()
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_training_lowers_the_validation_loss_and_keeps_the_best(examples):
    run, epochs = finished(examples, SMALL.model_copy(update={"epochs": 8}))
    assert [epoch.index for epoch in epochs] == list(range(8))
    for plane, state in run.planes.items():
        losses = [epoch.valid_loss[plane] for epoch in epochs]
        assert losses[-1] < losses[0]
        assert state.best_loss == min(losses)


def test_a_trained_denoiser_beats_the_noisy_stack(examples, noisy, truth):
    settings = {"epochs": 6, "steps_per_epoch": 12}
    run, _ = finished(examples, SMALL.model_copy(update=settings))
    estimate = run.denoiser()(noisy)
    # blurring alone gains 10 dB here; a network that learned nothing gains none
    assert np.mean((estimate - truth) ** 2) < 0.2 * np.mean((noisy - truth) ** 2)


@pytest.mark.parametrize("objective", ["thinning", "noise2void"])
def test_learning_without_truth_beats_the_noisy_stack(objective, noisy, truth):
    settings = {
        "epochs": 6,
        "steps_per_epoch": 12,
        "batch": 8,
        "patch_px": 48,
        "objective": objective,
    }
    run, _ = finished([Example(noisy)], SMALL.model_copy(update=settings))
    estimate = run.denoiser()(noisy)
    # truth is not seen: blurring's 10 dB are not all reached so soon
    assert np.mean((estimate - truth) ** 2) < 0.3 * np.mean((noisy - truth) ** 2)


def test_same_seed_same_weights(examples):
    one, other = (weights_of(finished(examples)[0]) for _ in range(2))
    assert_same(one, other)


@pytest.mark.parametrize("objective", ["supervised", "thinning", "noise2void"])
def test_a_resumed_training_is_the_uninterrupted_one_bit_for_bit(
    objective, examples, tmp_path
):
    training = SMALL.model_copy(update={"objective": objective})
    whole, _ = finished(examples, training)
    begun, parts = prepare(examples, training)
    steps = fit(begun, parts)
    next(steps), next(steps)
    save_run(begun, tmp_path / "half.lowdose")
    resumed = load_run(tmp_path / "half.lowdose", training)
    assert resumed.epoch == 2
    assert [epoch.index for epoch in fit(resumed, parts)] == [2, 3]
    assert_same(weights_of(resumed), weights_of(whole))
    for plane, state in whole.planes.items():
        assert resumed.planes[plane].best_loss == state.best_loss
        assert_same(dict(resumed.planes[plane].best), dict(state.best))


def test_leaving_early_keeps_the_best_weights_so_far(examples, noisy):
    run, parts = prepare(examples, SMALL)
    for event in fitting(run, parts):
        if isinstance(event, Step) and event.done > 10:
            break
    assert run.epoch == 1
    assert all(np.isfinite(state.best_loss) for state in run.planes.values())
    assert run.denoiser()(noisy).shape == noisy.shape


def test_steps_count_up_to_the_total(examples):
    run, parts = prepare(examples, SMALL)
    events = list(fitting(run, parts))
    steps = [event for event in events if isinstance(event, Step)]
    assert [step.done for step in steps] == list(range(1, steps[-1].total + 1))
    assert sum(isinstance(event, Epoch) for event in events) == SMALL.epochs


def test_a_loaded_denoiser_is_the_trained_one(examples, noisy, tmp_path):
    run, _ = finished(examples)
    save_run(run, tmp_path / "model.lowdose")
    loaded, notes = load_denoiser(tmp_path / "model.lowdose", noisy)
    assert notes == ()
    np.testing.assert_array_equal(
        loaded(noisy), run.denoiser(Normalizer.fit(noisy))(noisy)
    )


def test_a_stack_unlike_the_training_is_said(examples, movie, tmp_path):
    run, _ = finished(examples, SMALL.model_copy(update={"epochs": 1}))
    save_run(run, tmp_path / "model.lowdose")
    bright = movie(dose=200.0)[0].read()
    _, notes = load_denoiser(tmp_path / "model.lowdose", bright)
    assert "expect artefacts" in notes[0]


def test_the_card_tells_settings_and_size(examples, tmp_path):
    run, _ = finished(examples, SMALL.model_copy(update={"epochs": 1}))
    save_run(run, tmp_path / "model.lowdose")
    card = describe_checkpoint(tmp_path / "model.lowdose")
    assert card["training"]["objective"] == "supervised"
    network = run.planes[Plane.XY].network
    assert card["n_weights"] == 3 * sum(p.numel() for p in network.parameters())


def test_frames_are_held_out_from_one_stack_and_stacks_from_several(examples, noisy):
    one = split(examples, 0.25)
    assert len(one.train[0].noisy) == 18
    assert len(one.valid[0].noisy) == 6
    assert one.train[0].normalizer == one.valid[0].normalizer
    several = split([*examples, Example(noisy), Example(noisy + 1)], 0.2)
    assert len(several.train) == 2
    assert several.valid[0].noisy is not noisy


def test_the_objective_follows_from_the_data(noisy, truth):
    rng = np.random.default_rng(0)
    assert chosen_objective([Example(noisy, truth)], SMALL) == "supervised"
    assert chosen_objective([Example(noisy)], SMALL) == "thinning"
    analogue = noisy + rng.normal(0, 1, noisy.shape)
    assert chosen_objective([Example(analogue)], SMALL) == "noise2void"


def test_too_few_frames_for_time_train_frames_only(noisy, truth):
    training = SMALL.model_copy(update={"epochs": 1})
    short = prepare([Example(noisy[:5], truth[:5])] * 2, training)[0]
    assert tuple(short.planes) == tuple(Plane)
    shorter = prepare([Example(noisy[:3], truth[:3])] * 2, training)[0]
    assert tuple(shorter.planes) == (Plane.XY,)


def test_impossible_examples_are_refused(noisy, truth):
    with pytest.raises(UnusableStack, match="at least 5 frames"):
        prepare([Example(noisy[:2])], SMALL)
    with pytest.raises(UnusableStack, match="truth of the noisy stack's shape"):
        Example(noisy, truth[1:])
    with pytest.raises(UnusableStack, match="one truth for each of the 2"):
        paired([noisy, noisy], [truth])
    with pytest.raises(ValueError, match="needs the truth"):
        prepare([Example(noisy)], SMALL.model_copy(update={"objective": "supervised"}))
    with pytest.raises(ValueError, match="objective: expected one of auto"):
        prepare([Example(noisy)], SMALL.model_copy(update={"objective": "magic"}))


CAMERA = Readout(gain=2, offset=100, readout_std=4)


def test_a_detector_that_is_told_lets_its_quanta_be_split(clean):
    noisy, _ = add_noise(clean, Noise(dose=5, stages=(Poisson(), CAMERA)))
    examples = [Example(noisy.read())]
    told = SMALL.replaced(
        {("gain",): 2.0, ("offset",): 100.0, ("readout_std",): 4.0},
    )
    assert chosen_objective(examples, told) == "thinning"
    assert chosen_objective(examples, SMALL) == "noise2void"


def test_a_training_that_would_learn_the_noise_is_said_before():
    specimen = SPECIMENS["catalyst"]
    slow = specimen.settings(frames=24, size=96, motion_px=0.1)
    blurred = Noise(dose=20, stages=(Poisson(), Response(mtf_cutoff=0.1), CAMERA))
    noisy, _ = add_noise(specimen.render(slow).stack, blurred)
    with pytest.warns(UserWarning, match=r"noise2void .* avoided .* share noise"):
        assert chosen_objective([Example(noisy.read())], SMALL) == "noise2void"


def test_damaged_and_foreign_files_are_refused(examples, noisy, tmp_path):
    import safetensors.torch

    run, _ = finished(examples, SMALL.model_copy(update={"epochs": 1}))
    path = save_run(run, tmp_path / "model.lowdose")
    content = path.read_bytes()
    cases = {
        "cut": (content[: len(content) // 2], "damaged or not a model"),
        "text": (b"not a model at all", "damaged or not a model"),
        "empty": (b"", "damaged or not a model"),
        "foreign": (safetensors.torch.save({"a": torch.ones(1)}), "another program"),
        "newer": (
            content.replace(b'\\"version\\":1', b'\\"version\\":7'),
            "header this version cannot read",
        ),
    }
    for name, (damaged, said) in cases.items():
        other = tmp_path / f"{name}.lowdose"
        other.write_bytes(damaged)
        with pytest.raises(CheckpointMismatch, match=said):
            load_denoiser(other, noisy)
        with pytest.raises(CheckpointMismatch, match=said):
            load_run(other)
    with pytest.raises(CheckpointMismatch, match="no model file"):
        load_denoiser(tmp_path / "missing.lowdose", noisy)


def test_a_finished_training_needs_more_epochs_to_go_on(examples, tmp_path):
    run, _ = finished(examples, SMALL.model_copy(update={"epochs": 1}))
    save_run(run, tmp_path / "model.lowdose")
    with pytest.raises(CheckpointMismatch, match="has had 1 epochs already"):
        load_run(tmp_path / "model.lowdose", SMALL.model_copy(update={"epochs": 1}))


def test_another_network_cannot_be_resumed(examples, tmp_path):
    run, _ = finished(examples, SMALL.model_copy(update={"epochs": 1}))
    save_run(run, tmp_path / "model.lowdose")
    wider = SMALL.model_copy(update={"network": Network(depth=2, width=8)})
    with pytest.raises(CheckpointMismatch, match="train a new model"):
        load_run(tmp_path / "model.lowdose", wider)


def test_a_failed_write_leaves_the_old_model_whole(examples, tmp_path):
    run, _ = finished(examples, SMALL.model_copy(update={"epochs": 1}))
    with pytest.raises(UnwritableFile):
        save_run(run, tmp_path / "missing" / "model.lowdose")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("plane", Plane)
def test_validation_windows_are_bounded_and_the_same_every_time(plane):
    stack = np.random.default_rng(0).poisson(1.0, (6, 300, 700))
    parts = split([Example(stack), Example(stack + 1)], 0.5).valid
    first, again = (list(validation(parts, plane, SMALL)) for _ in range(2))
    assert sum(len(patches.noisy) for patches in first) == min(
        24, stack.shape[plane.axis]
    )
    for one, other in zip(first, again, strict=True):
        assert len(one.noisy) <= SMALL.batch
        assert max(one.noisy.shape[1:]) <= 256
        np.testing.assert_array_equal(one.noisy, other.noisy)


def test_patches_of_noisy_and_truth_belong_together(noisy):
    parts = split([Example(noisy, noisy * 2), Example(noisy, noisy * 2)], 0.5).train
    for plane in Plane:
        patches = draw(parts, plane, SMALL, np.random.default_rng(0))
        np.testing.assert_array_equal(patches.truth, patches.noisy * 2)
