"""The subcommands ``evaluate`` and ``compare``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from command import read, run
from PIL import Image
from synthetic import make_record, random_checkpoint, small_config, smooth_photo

from napari_denoise_ae.evaluation.baselines import BASELINES
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

# The command prints warnings itself; they must not become errors in tests.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


def test_evaluate_on_cifar10_scores_all_methods(cifar10, model_file, tmp_path, capsys):
    file = tmp_path / "scores.json"
    given = ["--limit", 2, "--noise", "gaussian:0.25", "--json", file]
    assert run("evaluate", "--data", cifar10, "--model", model_file, *given) == 0
    records = json.loads(file.read_text())
    methods = ["noisy", model_file.name, *BASELINES]
    assert [record["method"] for record in records] == methods
    assert {record["n"] for record in records} == {2}
    assert {record["noise"] for record in records} == {"gaussian:0.25"}
    printed = capsys.readouterr().out
    assert all(method in printed for method in methods)
    assert f"{records[0]['psnr_mean']:.2f}" in printed


def test_evaluate_prints_which_test_images_are_used(cifar10, tmp_path, capsys):
    record = make_record(dataset="CIFAR-10 training set", config=small_config(n_test=4))
    file = tmp_path / "four.pt"
    save_checkpoint(random_checkpoint(record=record), file)
    assert run("evaluate", "--data", cifar10, "--model", file) == 0
    printed = capsys.readouterr().out
    assert "4, all test images of CIFAR-10 that four.pt was not trained on" in printed
    assert "noise   gaussian:0.5\n" in printed
    assert run("evaluate", "--data", cifar10, "--model", file, "--limit", 3) == 0
    assert "3, the first of 4 test images" in capsys.readouterr().out


def test_evaluate_warns_about_noise_unlike_that_in_training(
    cifar10, model_file, capsys
):
    given = ["--limit", 5, "--noise", "gaussian:0.05"]
    assert run("evaluate", "--data", cifar10, "--model", model_file, *given) == 0
    assert "The noise in these images is much weaker" in capsys.readouterr().err


def test_compare_scores_models_and_writes_figure(cifar10, model_file, tmp_path, capsys):
    other = tmp_path / "other" / "model.pt"
    other.parent.mkdir()
    other.write_bytes(model_file.read_bytes())
    figure, file = tmp_path / "figure.png", tmp_path / "scores.json"
    given = ["--data", cifar10, "--limit", 2, "--figure", figure, "--json", file]
    assert run("compare", model_file, other, "conv", *given) == 0
    records = json.loads(file.read_text())
    names = [f"{model_file.parent.name}/model.pt", "other/model.pt", "conv"]
    methods = ["noisy", *names, *BASELINES]
    assert [record["method"] for record in records] == methods
    assert {record["n"] for record in records} == {2}
    printed = capsys.readouterr().out
    for part in (*methods, "PSNR", "SSIM", "parameters", "186,371", str(figure)):
        assert part in printed
    assert read(figure).shape[1] > 5 * 250


def test_compare_on_folder_without_baselines(
    model_file, tmp_path, png, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "images"
    folder.mkdir()
    png.rename(folder / "a.png")
    Image.fromarray(np.arange(900, dtype=np.uint8).reshape(20, 45)).save(
        folder / "b.png"
    )
    assert run("compare", model_file, "--images", folder, "--no-baselines") == 0
    printed = capsys.readouterr().out
    assert "images  2, all in" in printed
    assert "wavelet" not in printed
    assert read(tmp_path / "comparison.png").std() > 5


def test_evaluate_on_folder(model_file, tmp_path, png, capsys):
    folder = tmp_path / "images"
    folder.mkdir()
    png.rename(folder / "a.png")
    given = ["--images", folder, "--model", model_file, "--noise", "gaussian:0.1"]
    assert run("evaluate", *given) == 0
    assert "images  1, all in" in capsys.readouterr().out


def test_choices_of_images_in_files_are_said(model_file, tmp_path, capsys):
    folder = tmp_path / "images"
    folder.mkdir()
    image = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    for each in (image, image[:30, :25].copy()):
        options = {"append": True, "photometric": "minisblack", "metadata": None}
        tifffile.imwrite(folder / "a.tif", each, **options)
    path, model = folder / "a.tif", ["--model", model_file]
    for given in (
        [
            "compare",
            model_file,
            "--images",
            folder,
            "--noise",
            "gaussian:0.1",
            "--figure",
            tmp_path / "figure.png",
        ],
        ["evaluate", "--pair", path, path, *model],
    ):
        assert run(*given) == 0
        assert "a.tif: The file holds 2 series" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["evaluate --model", "compare"])
def test_measured_noise_changes_the_score_of_a_model_that_takes_the_level(
    command, cifar10, tmp_path
):
    model, file = tmp_path / "level.pt", tmp_path / "scores.json"
    save_checkpoint(random_checkpoint(network="unet"), model)
    given = ["--data", cifar10, "--limit", 2, "--noise", "gaussian:0.3,unclipped"]
    given += ["--json", file]
    if command == "compare":
        given += ["--figure", tmp_path / "figure.png"]
    scores = []
    for more in ([], ["--measured"]):
        assert run(*command.split(), model, *given, *more) == 0
        scores.append(json.loads(file.read_text())[1]["psnr_mean"])
    assert scores[0] != scores[1]


@pytest.fixture
def pair(tmp_path) -> list[Path]:
    reference = (4000 * smooth_photo(40, 32, 1)[..., 0]).astype(np.uint16)
    noisy = reference + np.random.default_rng(0).integers(0, 200, (3, 40, 32))
    paths = [tmp_path / "noisy.tif", tmp_path / "reference.tif"]
    tifffile.imwrite(paths[0], noisy.astype(np.uint16), photometric="minisblack")
    tifffile.imwrite(paths[1], reference)
    return paths


@pytest.mark.parametrize(
    "data_range", [None, "0,4095", "P0.1,P99.9", "p0,p100", "0,P99", " -5,4095"]
)
def test_evaluate_on_real_pair(pair, model_file, tmp_path, data_range):
    file = tmp_path / "scores.json"
    more = [] if data_range is None else ["--data-range", data_range]
    given = ["--pair", *pair, "--model", model_file, "--json", file, *more]
    assert run("evaluate", *given) == 0
    records = json.loads(file.read_text())
    assert {(record["n"], record["noise"]) for record in records} == {(3, "real")}


def test_scores_are_printed_as_json_in_place_of_the_report(
    pair, model_file, png, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    png.rename(tmp_path / "photos" / "a.png")
    images = ["--images", "photos", "--noise", "gaussian:0.1", "--json", "-"]
    for command in (
        ["evaluate", "--pair", *pair, "--model", model_file, "--json", "-", "--quiet"],
        ["evaluate", "--model", model_file, *images],
        ["compare", model_file, "--no-baselines", *images],
    ):
        assert run(*command) == 0
        assert json.loads(capsys.readouterr().out)[0]["method"] == "noisy"
    assert (tmp_path / "comparison.png").is_file()
    assert not (tmp_path / "-").exists()


def test_tenfold_data_range_raises_psnr_by_20_db(pair, model_file, tmp_path):
    file = tmp_path / "scores.json"
    figures = []
    for data_range in ("0,4000", "0,40000"):
        given = ["--pair", *pair, "--model", model_file, "--json", file]
        assert run("evaluate", *given, "--data-range", data_range) == 0
        figures.append(json.loads(file.read_text())[0]["psnr_mean"])
    assert figures[1] == pytest.approx(figures[0] + 20)
