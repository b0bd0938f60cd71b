"""The images of a saved run are found by name among the layers."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_denoise_ae._napari.train.saved_run import saved_source
from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.run_config import run_config_text

PIXELS = np.zeros((9, 9))


def written(folder, **arguments):
    """Write the file of a run, and return its path."""
    job = TrainingJob(output=folder / "model.pt", **arguments)
    config = job.config_for("gray", {})
    job.files.run_config.write_text(run_config_text(job, config), "utf-8")
    return job.files.run_config


def test_layers_take_their_places(tmp_path):
    noisy = Image(np.ones((9, 9)), name="noisy")
    levels = Image([np.ones((8, 8)), np.ones((4, 4))], name="clean", multiscale=True)
    pairs = {"noisy": PIXELS}, {"clean": PIXELS}
    about = {"axes": "YX", "start_from": "auto"}
    file = written(tmp_path, pairs=pairs, **about)
    source = saved_source(file, [levels, noisy], tmp_path)
    first, second = source.pop("pairs")
    assert first["noisy"] is noisy.data
    assert second["clean"].shape == (8, 8)
    assert source == about


def test_files_need_no_layers(tmp_path):
    repeats = {"scan": PIXELS, "again.tif": str(tmp_path / "again.tif")}
    file = written(tmp_path, repeats=repeats, channel=1)
    layer = Image(PIXELS, name="scan")
    source = saved_source(file, [layer], tmp_path)
    assert source["repeats"]["again.tif"] == repeats["again.tif"]
    assert source["channel"] == 1


def test_the_folder_of_cifar_10_may_have_moved(tmp_path):
    file = written(tmp_path, data=tmp_path)
    moved = tmp_path / "moved"
    expected = {"data": str(tmp_path), "download": True}
    assert saved_source(file, [], moved) == expected
    expected = {"data": moved, "download": True}
    assert saved_source(tmp_path / "no.run.toml", [], moved) == expected
    assert saved_source(written(tmp_path, data="/no/such"), [], moved) == expected


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ({"scan": PIXELS}, "on the layer scan; scan is not open"),
        ({"a": PIXELS, "b": PIXELS}, "on the layers a and b; a and b are not open"),
        (PIXELS, "was trained in Python"),
    ],
)
def test_missing_images_are_named(tmp_path, images, expected):
    file = written(tmp_path, adapt=images)
    with pytest.raises(InvalidInputError, match=expected):
        saved_source(file, [Image(PIXELS, name="other")], tmp_path)
