import json

import numpy as np
import pytest
import tifffile

from napari_lowdose.cli import COMMANDS, build_parser, main
from napari_lowdose.config import PRESETS, Training
from napari_lowdose.io import read_stack, write_stack
from napari_lowdose.stack import Stack

FAST = "--epochs 2 --steps-per-epoch 2 --patch-px 16 --depth 2 --width 4".split()


def run(line: str, *more: str) -> int:
    return main([*line.split(), *more])


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with a model list of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def simulated(here):
    line = "simulate catalyst --frames 16 --size 32 --dose 1 --seed 0 -o noisy.tif"
    assert run(line, "--truth", "truth.tif") == 0
    return here


def test_simulate_train_denoise_compare_and_score(simulated, capsys):
    assert run("train noisy.tif --truth truth.tif -o model.lowdose", *FAST) == 0
    line = "denoise noisy.tif --model model.lowdose --planes xy,xt,yt -o out.tif"
    assert run(line) == 0
    assert run("compare noisy.tif --truth truth.tif --model model.lowdose -o res") == 0
    capsys.readouterr()
    assert run("score out.tif --truth truth.tif --json") == 0
    scores = json.loads(capsys.readouterr().out)
    noisy, truth, out = (
        read_stack(simulated / f"{name}.tif") for name in ("noisy", "truth", "out")
    )
    assert out.shape == noisy.shape == (16, 32, 32)
    assert out.scale == noisy.scale == (0.1, pytest.approx(0.1), pytest.approx(0.1))
    # both read the same float32 files
    assert scores["mse"] == pytest.approx(np.mean((out.data - truth.data) ** 2))
    assert [step["step"] for step in out.recipe] == ["simulate", "add noise", "denoise"]
    names = {path.name for path in (simulated / "res").iterdir()}
    assert {"table.csv", "side-by-side.png", "fused.tif", "gaussian.tif"} <= names


def test_the_noisy_stack_is_the_one_of_its_seed(simulated):
    noisy, truth = (tifffile.imread(f"{name}.tif") for name in ("noisy", "truth"))
    assert truth.mean() == pytest.approx(1, rel=1e-5)
    assert np.array_equal(noisy, np.rint(noisy))
    assert run("simulate catalyst --frames 16 --size 32 -o again.tif") == 0
    np.testing.assert_array_equal(tifffile.imread("again.tif"), noisy)


def test_noise_on_a_clean_file(simulated):
    line = "simulate stack truth.tif --kind gaussian --readout-std 2 --dose 0"
    assert run(line, "-o", "gauss.tif") == 0
    error = tifffile.imread("gauss.tif") - tifffile.imread("truth.tif")
    # a deviation from 16384 pixels is known to 0.6 %
    assert error.std() == pytest.approx(2, rel=0.03)


def test_last_model_and_a_name_beside_are_the_defaults(simulated, capsys):
    assert run("train noisy.tif", *FAST) == 0
    assert run("denoise noisy.tif --each-plane --json") == 0
    told = json.loads(capsys.readouterr().out.partition("}\n{")[2].join(["{", ""]))
    assert told["output"] == "noisy-denoised.tif"
    assert (simulated / "noisy-denoised.tif").exists()
    assert (simulated / "noisy-denoised-xt.tif").exists()


def test_resume_continues(simulated, capsys):
    assert run("train noisy.tif -o m.lowdose", *FAST) == 0
    longer = "train noisy.tif -o m.lowdose --resume --json"
    assert run(longer, *FAST, "--epochs", "3") == 0
    out = capsys.readouterr().out
    told = json.loads(out[out.index("{\n") :])
    assert [epoch["index"] for epoch in told["history"]] == [2]


def test_output_in_the_inputs_numbers(here):
    rng = np.random.default_rng(0)
    counts = rng.poisson(30, (16, 32, 32)).astype(np.uint16)
    write_stack(Stack(counts), "sixteen.tif", dtype=np.uint16)
    assert run("train sixteen.tif -o m.lowdose", *FAST) == 0
    line = "denoise sixteen.tif --model m.lowdose --dtype input -o out.tif"
    assert run(line) == 0
    assert tifffile.imread("out.tif").dtype == np.uint16


def test_a_real_movie_is_trained_on_and_denoised(here, colloids):
    crop = "--t-stop 16 --y-stop 64 --x-stop 64".split()
    assert run("train", str(colloids), "-o", "m.lowdose", *FAST, *crop) == 0
    assert run("denoise", str(colloids), "-o", "out.tif", *crop) == 0
    out = read_stack("out.tif")
    assert out.shape == (16, 64, 64)
    # 2.85 px per micrometre and 24 frames per second, as its authors say
    assert out.pixel_size[0] == pytest.approx(1 / 2.85, rel=1e-3)
    assert out.frame_interval_s == pytest.approx(1 / 24, rel=1e-3)


@pytest.mark.parametrize("command", [c.__name__.rpartition(".")[2] for c in COMMANDS])
def test_help_teaches_by_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    usage, _, story = capsys.readouterr().out.partition("\n\n")
    assert usage.startswith(f"usage: lowdose {command}")
    assert f"  lowdose {command}" in story


def test_every_training_setting_is_a_flag():
    options = build_parser().parse_args(
        ["train", "a.tif", "--no-augment", "--planes", "xy,yt", "--depth", "2"]
    )
    from napari_lowdose.cli.flags import config_from

    training = config_from(options, Training, PRESETS["paper"])
    assert not training.augment
    assert training.planes == ("xy", "yt")
    assert training.network.depth == 2
    assert training.network.width == PRESETS["paper"].network.width


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("denoise missing.tif --model m.lowdose", "there is no file missing.tif"),
        ("denoise noisy.tif", "no model was named"),
        ("denoise noisy.tif --model truth.tif", "damaged or not a model"),
        ("train noisy.tif --epochs 0", "epochs: input should be greater"),
        ("train noisy.tif --truth truth.tif truth.tif", "one truth for each of the 1"),
        ("train noisy.tif --truth short.tif", "truth of the noisy stack's shape"),
        ("train noisy.tif -o nowhere/m.lowdose", "nowhere"),
        ("simulate catalyst --dose -1 -o a.tif", "dose: input should be greater"),
        ("simulate catalyst --size 32 -o nowhere/a.tif", "nowhere"),
        ("score noisy.tif --truth short.tif", "shape"),
        ("compare noisy.tif --baselines magic -o res", "magic"),
        ("info text.tif", "text.tif"),
        ("train constant.tif", "every value"),
        ("train nan.tif", "NaN"),
        ("denoise noisy.tif --t-start 99 --model m.lowdose", "99"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(simulated, capsys, line, said):
    noisy = tifffile.imread("noisy.tif")
    tifffile.imwrite("short.tif", noisy[:8])
    (simulated / "text.tif").write_text("no TIFF at all")
    tifffile.imwrite("constant.tif", np.ones_like(noisy))
    tifffile.imwrite("nan.tif", np.where(noisy > 3, np.nan, noisy))
    before = sorted(simulated.iterdir())
    capsys.readouterr()
    assert run(line) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("lowdose: ")
    assert error.count("\n") == 1
    left = sorted(path for path in simulated.iterdir() if path.name != "data")
    assert left == [path for path in before if path.name != "data"]


@pytest.mark.parametrize(
    "line",
    ["frobnicate", "train", "simulate catalyst --dose much -o a.tif", "score a --x"],
)
def test_misspelt_commands_point_to_help(line, capsys):
    with pytest.raises(SystemExit) as ended:
        run(line)
    assert ended.value.code == 2
    assert "--help" in capsys.readouterr().err


def test_negative_counts_are_denoised_but_take_no_noise(here, capsys):
    rng = np.random.default_rng(0)
    counts = rng.normal(0, 1, (16, 32, 32)).astype(np.float32)
    tifffile.imwrite("negative.tif", counts)
    assert run("train negative.tif -o m.lowdose", *FAST) == 0
    assert run("denoise negative.tif --model m.lowdose -o out.tif") == 0
    assert run("simulate stack negative.tif -o more.tif") == 2
    assert "expected counts of zero or more" in capsys.readouterr().err


def test_info_describes_files_and_machine(simulated, capsys):
    assert run("info noisy.tif --json") == 0
    assert json.loads(capsys.readouterr().out)["shape"] == [16, 32, 32]
    assert run("info --json") == 0
    assert "precision" in json.loads(capsys.readouterr().out)
