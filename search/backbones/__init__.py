"""Backbones, the part of a model under its head: pretrained modules and encoders learned from scratch."""
