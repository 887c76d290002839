"""The counts of cleaning in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from search.datasets import Cleaning
from search.datasets.content import TEXT
from search.reporting.tables import with_article

_FAULTS = 5


def describe_cleaning(cleaning: Cleaning, noun: str = TEXT.name) -> str:
    """Describes how many rows were read, dropped and kept, and whether splits share any.

    Args:
        cleaning: The counts.
        noun: The word for what a row holds.
    """
    return f"{describe_left_out(cleaning, noun)} {_shared(cleaning, noun)}"


def describe_left_out(cleaning: Cleaning, noun: str = TEXT.name) -> str:
    """Describes in a sentence how many rows were read, dropped and kept; see `describe_cleaning`."""
    phrases = {
        "missing_text": f"without {with_article(noun)}",
        "empty_text": "with an empty text",
        "missing_label": "without a label",
        "missing_file": "whose image is not there",
        "broken": "whose image is broken",
        "oversized": "whose image is larger than dataset.max_pixels",
        "other_class": "of other classes",
        "rare": "of classes that are too rare",
        "unseen_valid": "of valid of classes that train lacks",
        "conflicts": f"of {noun}s with conflicting labels",
        "duplicates": f"that repeat {with_article(noun)} and its label",
        "also_in_test": f"of train or valid whose {noun} is in test",
        "also_in_valid": f"of train whose {noun} is in valid",
        "over_limit": "over dataset.limit",
        "unused": "unused by dataset.train_size, train_fraction or recipe",
    }
    counts = {phrase: getattr(cleaning, name) for name, phrase in phrases.items()}
    dropped = [f"{count:,} {phrase}" for phrase, count in counts.items() if count]
    files = {
        "whose name or folder begins with a dot": cleaning.hidden_files,
        "with other endings": cleaning.other_files,
        "in no class folder": cleaning.misplaced_files,
        "of other class folders": cleaning.other_class_files,
        "that are links, pipes or devices": cleaning.special_files,
    }
    unread = [f"{count:,} {phrase}" for phrase, count in files.items() if count]
    not_read = f" Files not read: {', '.join(unread)}." if unread else ""
    return f"{cleaning.read:,} rows read; left out: {', '.join(dropped) or 'none'}.{not_read}"


def describe_faults(faults: Sequence[str], listed: str) -> str:
    """Names the first pictures that could not be used, and why.

    Args:
        faults: A sentence for each.
        listed: The file that names all of them.
    """
    more = f"\nand {len(faults) - _FAULTS:,} more, in {listed}" if len(faults) > _FAULTS else ""
    return "Left out: " + "\n".join(faults[:_FAULTS]) + more


def _shared(cleaning: Cleaning, noun: str) -> str:
    """Warns of test rows that were trained on."""
    if not cleaning.shared_valid and not cleaning.shared_test:
        return f"No {noun} is in two splits."
    return (
        f"The splits are used as published: the {noun}s of {cleaning.shared_valid:,} rows of valid are in train too, "
        f"those of {cleaning.shared_test:,} rows of test in train or valid, which makes the scores too good."
    )
