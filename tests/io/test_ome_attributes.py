from __future__ import annotations

from napari_denoise_ae.io.ome_attributes import image_attributes
from napari_denoise_ae.io.ome_metadata import OmeMetadata


def test_pixels_of_lower_levels_are_centered_on_those_they_average():
    metadata = OmeMetadata(
        axes="TYX", scale={"T": 2.0, "Y": 0.5, "X": 0.25}, origin={"Y": 10.0}
    )
    attributes = image_attributes(metadata, name="a", n_levels=2, description="halved")
    datasets = attributes["ome"]["multiscales"][0]["datasets"]
    half = datasets[1]["coordinateTransformations"]
    assert half[0]["scale"] == [2.0, 1.0, 0.5]
    assert half[1]["translation"] == [0.0, 10.25, 0.125]
