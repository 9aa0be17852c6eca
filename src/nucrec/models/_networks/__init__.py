"""Keras networks: assembling, running and explaining them, and sharing them among devices.

TensorFlow is started before any of these modules is loaded.
"""

from nucrec._keras import start_tensorflow

start_tensorflow()
