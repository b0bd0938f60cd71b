from napari_denoise_ae._napari.shared.docstrings import parameter_texts, summary
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.models.networks.registry import NETWORKS, network_class
from napari_denoise_ae.noise.synthetic import PoissonGaussian
from napari_denoise_ae.training.losses import LOSSES


def test_the_summary_is_the_first_line():
    assert summary(LOSSES["mse"]).startswith("Mean squared error, the basis of PSNR")
    assert summary(object()) != ""
    assert summary(lambda: None) == ""


def test_only_parameters_are_returned():
    texts = parameter_texts(PoissonGaussian)
    assert list(texts) == ["gain", "read_noise", "clipped"]
    assert texts["clipped"].endswith("clipped to the intensity range.")
    assert parameter_texts(lambda: None) == {}


def test_parameters_listed_together_share_a_description():
    texts = parameter_texts(TwoParameters)
    assert texts == {"low": "A number. And more.", "high": "A number. And more."}


class TwoParameters:
    """Two parameters.

    Parameters
    ----------
    low, high : float
        A number.

        And more.

    Returns
    -------
    other : int
        Not a parameter.
    """


def test_all_training_and_network_settings_are_described():
    classes = [TrainingConfig, *map(network_class, NETWORKS)]
    for cls in classes:
        assert all(len(text) > 10 for text in parameter_texts(cls).values())
        assert parameter_texts(cls)
