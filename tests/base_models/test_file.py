import numpy as np
import pytest
import safetensors.torch
import torch

from napari_lowdose.base_models import (
    BASE_MODELS,
    BaseFile,
    describe_model,
    fitted,
    is_base,
    load_base,
    model_path,
    save_base,
)
from napari_lowdose.base_models.file import BaseHeader
from napari_lowdose.config import (
    BaseTraining,
    Compute,
    FineTuning,
    LooksSettings,
    Plane,
    Training,
)
from napari_lowdose.errors import CheckpointMismatch
from napari_lowdose.networks import LooksNetwork
from napari_lowdose.training import KEY, Example, prepare, read_model, save_run

EXACT = Compute(device="cpu", precision="float32")
SMALL = LooksSettings(width=4, depth=1)


@pytest.fixture
def base() -> BaseFile:
    torch.manual_seed(0)
    covariance = ((0.5, 0.1, 0.1), (0.1, 0.3, 0.1), (0.1, 0.1, 0.2))
    header = BaseHeader(
        training=BaseTraining(network=SMALL), steps=7, covariance=covariance
    )
    return BaseFile(LooksNetwork(SMALL), header)


def test_a_file_gives_back_what_was_written(base, tmp_path):
    again = load_base(save_base(base, tmp_path / "a.lowdose"))
    for name, value in base.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value)
    np.testing.assert_array_equal(again.covariance, base.covariance)
    assert again.header.training == base.header.training
    assert again.header.steps == 7


def test_fine_tuning_is_remembered(base, tmp_path):
    tuned = base.noted(fine_tuning=FineTuning(objective="thinning"))
    path = save_base(tuned, tmp_path / "a.lowdose")
    assert load_base(path).header.fine_tuning.objective == "thinning"
    assert describe_model(path)["fine_tuning"]["objective"] == "thinning"


def test_a_damaged_file_is_refused_and_says_so(base, tmp_path):
    path = save_base(base, tmp_path / "a.lowdose")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointMismatch, match="damaged"):
        load_base(path)


def test_networks_of_another_size_are_refused(base, tmp_path):
    wrong = base.noted(training=BaseTraining(network=LooksSettings(width=8)))
    path = save_base(wrong, tmp_path / "a.lowdose")
    with pytest.raises(CheckpointMismatch, match="do not fit"):
        load_base(path)


def test_a_file_of_before_networks_were_told_traits_still_works(base, noisy, tmp_path):
    path = save_base(base, tmp_path / "a.lowdose")
    header, tensors = read_model(path, BaseHeader)
    old = {name: value for name, value in tensors.items() if ".gains." not in name}
    assert len(old) < len(tensors)
    content = safetensors.torch.save(old, {KEY: header.model_dump_json()})
    (tmp_path / "old.lowdose").write_bytes(content)
    one, other = (
        fitted(tmp_path / name, noisy, EXACT)[0](noisy)
        for name in ("a.lowdose", "old.lowdose")
    )
    # Untrained gains are 1, and shifts 0, to the bit.
    np.testing.assert_array_equal(one, other)


def test_a_name_is_a_file_of_the_package_and_a_path_is_itself(tmp_path):
    for name, model in BASE_MODELS.items():
        assert model_path(name) == model.path
    assert model_path(tmp_path / "a.lowdose") == tmp_path / "a.lowdose"


def test_both_kinds_of_models_are_fitted_to_a_stack(base, noisy, tmp_path):
    looks = save_base(base, tmp_path / "base.lowdose")
    training = Training(
        epochs=1, steps_per_epoch=1, patch_px=16, network={"depth": 1, "width": 4}
    )
    run, _ = prepare([Example(noisy)], training)
    own = save_run(run, tmp_path / "own.lowdose")
    assert is_base(looks)
    assert not is_base(own)
    for path, n_looks in ((looks, 2), (own, 1)):
        denoiser, _ = fitted(path, noisy, EXACT)
        assert denoiser.planes == tuple(Plane)
        assert len(denoiser.looks) == n_looks
        assert denoiser(noisy).shape == noisy.shape


def test_counts_in_other_units_give_the_same_result_in_those_units(
    base, noisy, tmp_path
):
    """What the networks see is the same for any gain and offset."""
    path = save_base(base, tmp_path / "base.lowdose")
    counts = noisy.astype(np.float32)
    scaled = 3 * counts + 20
    one, other = (fitted(path, s, EXACT)[0](s) for s in (counts, scaled))
    # The noise of either is read to float precision; volumes are kept to 11 bits.
    np.testing.assert_allclose((other - 20) / 3, one, atol=0.01 * np.ptp(one))


def test_there_is_no_model_file_is_said(tmp_path, noisy):
    with pytest.raises(CheckpointMismatch, match="no model file"):
        fitted(tmp_path / "none.lowdose", noisy)
