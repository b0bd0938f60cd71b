"""Models from other programs denoise like those of this package."""

from __future__ import annotations

import sys
import warnings

import dask.array as da
import numpy as np
import pytest
from foreign_models import (
    blur,
    description,
    old_description,
    onnx_blur,
    write_package,
)

from napari_denoise_ae import denoise, export_onnx, load_checkpoint
from napari_denoise_ae.denoising.dask_blocks import Model
from napari_denoise_ae.errors import (
    CheckpointError,
    DenoiseAEWarning,
    InvalidInputError,
    MissingDependencyError,
)
from napari_denoise_ae.evaluation.model_names import load_models
from napari_denoise_ae.models.describe import describe_model
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.models.summary import read_summary

pytest.importorskip("onnxruntime")

IMAGE = np.random.default_rng(0).normal(500.0, 100.0, (70, 45)).astype(np.float32)
INNER = (slice(1, -1), slice(1, -1))
MEAN = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"]}}
RANGE = {
    "id": "scale_range",
    "kwargs": {"min_percentile": 1.0, "max_percentile": 99.0},
}
FLOAT = {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}


def clip(low, high):
    return {"id": "clip", "kwargs": {"min": low, "max": high}}


def linear(gain, offset):
    return {"id": "scale_linear", "kwargs": {"gain": gain, "offset": offset}}


def denoised_by(path, image=IMAGE, **options):
    return denoise(image, model=path, device="cpu", **options)


@pytest.mark.parametrize("shape", [("N", 1, "Y", "X"), (1, 1, 32, 32)])
def test_an_onnx_file_is_a_model(shape, tmp_path):
    path = tmp_path / "blur.onnx"
    path.write_bytes(onnx_blur(shape))
    with pytest.warns(DenoiseAEWarning, match=r"assumed to expect .* in \[0, 1\]"):
        lines = describe_model(read_summary(path))
    assert "network           onnx, 9 parameters, 1 channel" in lines
    assert "noise level       no input" in lines
    with pytest.warns(DenoiseAEWarning):
        checkpoint = load_checkpoint(path)
    expected = blur(IMAGE - IMAGE.min()) + IMAGE.min()
    # Windows are blended, so that borders within them count.
    rows = INNER if "Y" in shape else (slice(1, 2), slice(1, 2))
    tolerance = 1e-5 * np.ptp(IMAGE) if "Y" in shape else 40.0
    for tile_size in (None, 32):
        found = denoised_by(checkpoint, tile_size=tile_size)
        assert found.shape == IMAGE.shape
        np.testing.assert_allclose(found[rows], expected[rows], rtol=0, atol=tolerance)
    lazy = da.from_array(IMAGE, chunks=40)
    given = {"intensity_range": (float(IMAGE.min()), float(IMAGE.max()))}
    computed = denoised_by(checkpoint, lazy, **given).compute(scheduler="sync")
    np.testing.assert_allclose(computed, found, rtol=0, atol=1e-2)


@pytest.mark.parametrize(
    "changes",
    [
        {"before": [MEAN, FLOAT]},
        {"before": [RANGE]},
        {"before": [FLOAT], "after": [linear(1.0, 0.0)]},
        {"before": [linear(0.01, -3.0)], "after": [linear(100.0, 300.0), FLOAT]},
        {"before": [linear(0.01, -3.0), clip(-100.0, None)]},
        {"range": [0.0, 255.0]},
        {"halo": 0, "size": {"min": 8, "step": 8}},
        {"halo": -9},
    ],
)
def test_a_package_normalizes_and_restores_intensities(changes, tmp_path):
    data = onnx_blur()
    path = write_package(tmp_path / "blur.zip", description(data, **changes), data)
    # Inside, a blur commutes with all linear steps.
    found = denoised_by(path)
    np.testing.assert_allclose(found[INNER], blur(IMAGE)[INNER], rtol=0, atol=0.05)


def test_an_old_package_and_a_folder_are_read(tmp_path):
    data = onnx_blur()
    folder = tmp_path / "unpacked"
    folder.mkdir()
    (folder / "weights.onnx").write_bytes(data)
    archive = write_package(tmp_path / "blur.zip", old_description(data), data)
    (folder / "bioimageio.yaml").write_bytes(_member(archive, "rdf.yaml"))
    for path in (archive, folder):
        found = denoised_by(path)
        np.testing.assert_allclose(found[INNER], blur(IMAGE)[INNER], rtol=0, atol=0.05)
    assert load_checkpoint(folder).outline().stride == 8


def _member(path, name):
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def test_what_the_network_sees_is_declared(tmp_path):
    """A network that is not linear shows the intensities that go in."""
    data = onnx_blur()
    content = description(data, before=[MEAN, clip(0.0, None)], after=[clip(None, 1.0)])
    found = denoised_by(write_package(tmp_path / "a.zip", content, data))
    mean, std = IMAGE.mean(), IMAGE.std()
    expected = blur(((IMAGE - mean) / std).clip(0.0)).clip(None, 1.0) * std + mean
    np.testing.assert_allclose(found[INNER], expected[INNER], rtol=0, atol=0.05)
    lazy = denoised_by(tmp_path / "a.zip", da.from_array(IMAGE, chunks=40))
    np.testing.assert_allclose(lazy.compute(scheduler="sync"), found, atol=0.05)


def test_packages_with_the_same_graph_are_told_apart(tmp_path):
    data, steps = onnx_blur(), ([], [], [clip(None, 1.0)], [clip(None, 1.0 + 1e-9)])
    digests = []
    for number, after in enumerate(steps):
        content = description(data, before=[MEAN], after=after)
        path = write_package(tmp_path / f"{number}.zip", content, data)
        digests.append(Model.of(load_checkpoint(path)).digest)
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


@pytest.mark.parametrize("shape", [("N", 1, "Y", "X"), (1, 1, 64, 64)])
def test_a_noise_level_is_an_input_of_exported_models(shape, tmp_path):
    path = tmp_path / "blur.onnx"
    path.write_bytes(onnx_blur(shape, extra="sigma"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checkpoint = load_checkpoint(path)
        found = denoised_by(checkpoint, sigma=100.0)
    tolerance = 0.1 if "Y" in shape else 1.0
    expected = blur(IMAGE)[INNER]
    np.testing.assert_allclose(found[INNER], expected, rtol=0, atol=tolerance)
    with pytest.raises(InvalidInputError, match="neighboring frames cannot be"):
        denoised_by(checkpoint, np.stack([IMAGE] * 2), sigma=1.0, frames=1, axes="TYX")


TIME = {"type": "time", "id": "time", "size": 1}
DEEP = {"type": "space", "id": "z", "size": {"min": 8, "step": 8}}
REFUSED = {
    "z": ({"axes": [DEEP]}, "has the axes b, c, z, y, x. Only models for 2D"),
    "time": ({"axes": [TIME]}, "Only models for 2D"),
    "sizes": ({"size": {"min": 9, "step": 8}}, "multiples of a step, but are 9"),
    "negative": ({"size": {"min": -8, "step": 8}}, "multiples of a step, but are -8"),
    "odd": ({"size": 33}, "takes images of 33 x 33 pixels only"),
    "binarize": (
        {"before": [{"id": "binarize"}]},
        "the step binarize is not supported before",
    ),
    "sigmoid": (
        {"after": [{"id": "sigmoid"}]},
        "the step sigmoid is not supported after",
    ),
    "mismatch": (
        {"before": [MEAN], "after": [linear(2.0, 0.0)]},
        "depends on the image",
    ),
    "channels": (
        {"before": [linear([1.0, 2.0], 0.0)]},
        "must be the same for all channels",
    ),
    "axes": (
        {"before": [{"id": "scale_range", "kwargs": {"axes": ["y"]}}]},
        "its axes are",
    ),
    "version": ({"format_version": "0.3.6"}, "version 0.3.6"),
    "type": ({"type": "dataset"}, "not of the type model"),
    "torchscript": (
        {"weights": {"torchscript": {"source": "a.pt"}}},
        "its weights are torchscript, but only ONNX weights can be used. Convert them",
    ),
    "elsewhere": (
        {"weights": {"onnx": {"source": "../../etc/passwd"}}},
        "does not contain its weights",
    ),
    "checksum": (
        {"weights": {"onnx": {"source": "weights.onnx", "sha256": "0" * 64}}},
        "does not have the checksum",
    ),
    "no axes": ({"inputs": [{"id": "raw"}]}, "its description is invalid"),
    "no outputs": ({"outputs": []}, "one image as its input and one as its output"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_package_that_cannot_be_used_is_refused(case, tmp_path):
    changes, message = REFUSED[case]
    data = onnx_blur()
    path = write_package(tmp_path / "a.zip", description(data, **changes), data)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("shape", "changes", "message"),
    [
        (("N", 1, "Y", "X"), {"external": True}, "weights are in another file"),
        (("N", 1, "Y", "X"), {"external": "sparse"}, "weights are in another file"),
        (("N", 1, "Y", "X"), {"pads": 0}, "it returned one of"),
        (("N", 1, "Y", "X"), {"extra": "depth"}, "one image as its input"),
        (("N", 1, "Y", "X"), {"scale": np.nan}, "its result is not finite"),
        (("N", "C", "Y", "X"), {}, "a fixed number of channels, 1 to 4"),
        ((2, 1, "Y", "X"), {}, "batch size is fixed at 2"),
        ((1, 1, 32, "X"), {}, "both be fixed or both vary"),
        ((1, 1, 32, 48), {}, "images of 32 x 48 pixels only"),
        ((1, 1, "Z", "Y", "X"), {}, "has 5 axes. Only 2D"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*does not say which images")
def test_an_onnx_file_that_cannot_be_used_is_refused(shape, changes, message, tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx_blur(shape, **changes))
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)


def test_damaged_files_are_refused(tmp_path):
    data = onnx_blur()
    good = write_package(tmp_path / "good.zip", description(data), data).read_bytes()
    for name in ("a.onnx", "a.zip"):
        for content in (b"", b"damaged", good[: len(good) // 2]):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(CheckpointError, match="cannot be used as a model"):
                load_checkpoint(tmp_path / name)
    content = write_package(tmp_path / "b.zip", "a: [", data)
    with pytest.raises(CheckpointError, match="description is not of the type model"):
        load_checkpoint(content)
    bomb = write_package(tmp_path / "c.zip", {"text": "a" * 2**21}, data)
    with pytest.raises(CheckpointError, match=r"rdf.yaml has 2 MB; the limit is 1 MB"):
        load_checkpoint(bomb)
    # Each list refers to the one before: by 9 aliases, and by one.
    for n_aliases, n_levels in ((9, 9), (1, 2000)):
        lists = [f"- &a{n} [{f'*a{n - 1}, ' * n_aliases}]" for n in range(1, n_levels)]
        text = "\n".join(["more:", "- &a0 x", *lists, "type: model"])
        text += f"\nformat_version: *a{n_levels - 1}"
        (tmp_path / "rdf.yaml").write_text(text)
        with pytest.raises(CheckpointError, match="too many values, or nests them too"):
            load_checkpoint(tmp_path)
    import zipfile

    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("readme.txt", "")
    with pytest.raises(CheckpointError, match=r"it has no rdf\.yaml"):
        load_checkpoint(tmp_path / "d.zip")


def test_an_imported_model_only_denoises(tmp_path, monkeypatch):
    data = onnx_blur()
    raw = description(data, after=[linear(1.0, 0.0)])
    path = write_package(tmp_path / "blur.zip", raw, data)
    with pytest.raises(CheckpointError, match="can only denoise"):
        export_onnx(path, tmp_path / "again.onnx")
    with pytest.raises(InvalidInputError, match="units that it was trained on"):
        load_models([path], choose_device("cpu"))
    rgb = np.stack([IMAGE] * 3, axis=-1)
    color = denoised_by(path, rgb, axes="YXS")
    np.testing.assert_allclose(color[..., 0], denoised_by(path), atol=0.01)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r"'napari-denoise-ae\[onnx\]'"):
        load_checkpoint(path)
