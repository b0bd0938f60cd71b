from __future__ import annotations

import pytest
from synthetic import (
    CPU,
    cifar10_checkpoint,
)

from napari_denoise_ae import compare_models
from napari_denoise_ae.errors import (
    InvalidInputError,
)
from napari_denoise_ae.evaluation.model_names import load_models
from napari_denoise_ae.models.checkpoint_file import save_checkpoint


def test_model_names_are_made_unique(tmp_path):
    paths = [tmp_path / "a" / "model.pt", tmp_path / "b" / "model.pt"]
    for path in paths:
        path.parent.mkdir()
        save_checkpoint(cifar10_checkpoint(), path)
    save_checkpoint(cifar10_checkpoint(), tmp_path / "other.pt")
    sources = [
        *paths,
        str(tmp_path / "other.pt"),
        "conv",
        cifar10_checkpoint(),
        cifar10_checkpoint("noisy"),
    ]
    assert list(load_models([*sources, "conv"], CPU)) == [
        "a/model.pt",
        "b/model.pt",
        "other.pt",
        "conv",
        "random",
        "noisy (2)",
        "conv (2)",
    ]


@pytest.mark.parametrize("models", [[], "conv", cifar10_checkpoint()])
def test_anything_but_a_list_of_models_is_rejected(models, cifar10):
    with pytest.raises(InvalidInputError, match="at least one model"):
        compare_models(models, cifar10)
