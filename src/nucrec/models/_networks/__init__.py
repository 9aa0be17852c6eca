"""Keras networks: assembling them, running them, explaining them, sharing them among devices.

TensorFlow starts before any of these modules is loaded.
"""

from nucrec._keras import start_tensorflow

start_tensorflow()
