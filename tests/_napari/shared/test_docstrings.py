from napari_denoise_ae._napari.shared.docstrings import parameter_texts, summary
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.models.networks.registry import NETWORKS, network_class
from napari_denoise_ae.noise.synthetic import PoissonGaussian
from napari_denoise_ae.training.losses import LOSSES


def test_a_summary_is_the_first_line():
    assert summary(LOSSES["mse"]).startswith("Mean squared error, the basis of PSNR")
    assert summary(object()) != ""
    assert summary(lambda: None) == ""


def test_parameters_are_found_and_nothing_else():
    texts = parameter_texts(PoissonGaussian)
    assert list(texts) == ["gain", "read_noise", "clipped"]
    assert texts["clipped"].endswith("clipped to the intensity range.")
    assert parameter_texts(lambda: None) == {}


def test_several_parameters_share_a_text():
    texts = parameter_texts(NoiseOfTwo)
    assert texts == {"low": "A number. And more.", "high": "A number. And more."}


class NoiseOfTwo:
    """Two.

    Parameters
    ----------
    low, high : float
        A number.

        And more.

    Returns
    -------
    other : int
        No parameter.
    """


def test_every_setting_and_every_option_is_explained():
    things = [TrainingConfig, *map(network_class, NETWORKS)]
    for thing in things:
        assert all(len(text) > 10 for text in parameter_texts(thing).values())
        assert parameter_texts(thing)
