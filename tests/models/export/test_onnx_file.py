"""ONNX files are opened by another program, and compute what torch computes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.errors import OutputError
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.export import onnx_file
from napari_denoise_ae.models.export.onnx_file import export_onnx

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

NETWORKS = {
    "plain unet": ("unet", {"in_channels": 1, "base_channels": 4}),
    "unet": ("unet", {"in_channels": 1, "base_channels": 4, "correlation": True}),
    "residual": ("residual", {"base_channels": 4, "latent_dim": 8}),
}


# One worker makes each file once: an export takes seconds.
@pytest.fixture(scope="module", params=NETWORKS)
def exported(request, tmp_path_factory):
    """Return a network's name, its report, and the graph of its ONNX file."""
    network, options = NETWORKS[request.param]
    folder = tmp_path_factory.mktemp("exported")
    checkpoint = random_checkpoint(network=network, **options)
    save_checkpoint(checkpoint, folder / "model.safetensors")
    report = export_onnx(
        folder / "model.safetensors",
        folder / "model.onnx",
        standalone=request.param == "unet",
    )
    return request.param, report, checkpoint


@pytest.mark.xdist_group("onnx")
def test_an_onnx_file_takes_images_of_any_number_and_size(exported):
    name, report, checkpoint = exported
    graph = onnx.load(report.path)
    onnx.checker.check_model(graph, full_check=True)
    axes = [dim.dim_param for dim in graph.graph.input[0].type.tensor_type.shape.dim]
    assert [axes[place] for place in (0, 2, 3)] == ["N", "Y", "X"]
    assert all(value.doc_string for value in graph.graph.input)
    session = onnxruntime.InferenceSession(report.path)
    network = onnx_file.make_graph(checkpoint, standalone=name == "unet")
    for n_images, (height, width) in product((1, 3), ((8, 8), (1, 5), (70, 33))):
        inputs = onnx_file.example_inputs(network, (n_images, height, width))
        names = [each.name for each in session.get_inputs()]
        assert names == list(report.inputs)
        feed = {key: x.numpy() for key, x in zip(names, inputs, strict=True)}
        (found,) = session.run(None, feed)
        expected = network(*inputs).numpy()
        tolerance = onnx_file.TOLERANCE * np.ptp(expected)
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    assert 0.0 <= report.difference <= onnx_file.TOLERANCE
    assert str(report.path) in report.lines()[-1]


@pytest.mark.xdist_group("onnx")
def test_an_exported_file_denoises_as_its_model(exported):
    name, report, checkpoint = exported
    clean = np.tile(np.linspace(0.0, 200.0, 64, dtype=np.float32), (48, 1))
    noisy = clean + np.random.default_rng(0).normal(0.0, 20.0, clean.shape)
    channels = checkpoint.outline().in_channels
    image = np.stack([noisy] * channels, axis=-1).squeeze().astype(np.float32)
    told = {"sigma": 20.0} if checkpoint.outline().takes_noise_level else {}
    expected, found = (
        denoise(image, model=model, device="cpu", precision="float32", **told)
        for model in (checkpoint, report.path)
    )
    # A standalone file centers an image by itself.
    tolerance = 1e-3 if name == "unet" else onnx_file.TOLERANCE
    atol = tolerance * np.ptp(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


@pytest.mark.xdist_group("onnx")
def test_a_file_that_computes_something_else_is_not_written(
    exported, tmp_path, monkeypatch
):
    _, report, checkpoint = exported
    run = onnx_file.run_onnx
    data = report.path.read_bytes()
    monkeypatch.setattr(onnx_file, "onnx_bytes", lambda *_: data)
    monkeypatch.setattr(onnx_file, "run_onnx", lambda *each: run(*each) + np.float32(1))
    monkeypatch.setattr(onnx_file, "load_trainable", lambda _: checkpoint)
    with pytest.raises(OutputError, match=r"differ by .* Nothing was written"):
        export_onnx("model", tmp_path / "other.onnx", standalone=exported[0] == "unet")
    assert list(tmp_path.iterdir()) == []
