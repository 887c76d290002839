"""The search space: what may vary, over which values, and on which condition."""

from spaces.conditions import OF_FINE_TUNING, setting_of
from spaces.domains import AUTO
from spaces.parameters import Choice, Fixed, Float, HyperParameters, Int, Parameter, Scalar, SpaceError
from spaces.reading import parameter_from
from spaces.settings import ENCODERS, LEARNED, SETTINGS
from spaces.space import Space, When
from spaces.text_classifier import TextClassifierSpace, space_from

__all__ = [
    "AUTO",
    "ENCODERS",
    "LEARNED",
    "OF_FINE_TUNING",
    "SETTINGS",
    "Choice",
    "Fixed",
    "Float",
    "HyperParameters",
    "Int",
    "Parameter",
    "Scalar",
    "Space",
    "SpaceError",
    "TextClassifierSpace",
    "When",
    "parameter_from",
    "setting_of",
    "space_from",
]
