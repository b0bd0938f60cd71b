"""ONNX files and bioimage.io packages from other programs, opened as models."""
