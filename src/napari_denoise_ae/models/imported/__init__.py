"""ONNX files and bioimage.io packages of others, opened as models."""
