"""The search space: what may vary, over which values, and on which condition."""

from spaces.conditions import OF_BACKBONES, OF_FINE_TUNING, has_words, l2_of_words, setting_of, stands_apart
from spaces.domains import AUTO
from spaces.parameters import Choice, Fixed, Float, HyperParameters, Int, Parameter, Scalar, SpaceError
from spaces.reading import parameter_from
from spaces.settings import ALL, ENCODERS, LEARNED, SETTINGS, TFIDF, UNPUBLISHED
from spaces.space import Space, When
from spaces.text_classifier import TextClassifierSpace, settings_of, space_from

__all__ = [
    "ALL",
    "AUTO",
    "ENCODERS",
    "LEARNED",
    "OF_BACKBONES",
    "OF_FINE_TUNING",
    "SETTINGS",
    "TFIDF",
    "UNPUBLISHED",
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
    "has_words",
    "l2_of_words",
    "parameter_from",
    "setting_of",
    "settings_of",
    "space_from",
    "stands_apart",
]
