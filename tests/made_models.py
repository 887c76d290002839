"""Finished runs with a tiny model: the more often a text says "good", the less probable is the first class."""

import json


def make_run(folder, classes, threshold, dataset="text: words\n  submission: [id, target]"):
    """Writes the model of a run and the settings of its data set."""
    import tensorflow as tf

    class Counts(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, texts):
            words = tf.strings.split(texts)
            count = tf.reduce_sum(tf.cast(tf.strings.regex_full_match(words, ".*good.*"), tf.float32), axis=1)
            positive = tf.sigmoid(count - 1)[:, None]
            return tf.concat([1 - positive, *[positive / (len(classes) - 1)] * (len(classes) - 1)], axis=1)

    tf.saved_model.save(Counts(), str(folder / "model"))
    (folder / "model" / "labels.json").write_text(json.dumps({"labels": classes, "threshold": threshold}))
    (folder / ".hydra").mkdir(exist_ok=True)
    (folder / ".hydra" / "config.yaml").write_text(f"dataset:\n  name: made\n  {dataset}\n")
    return folder


def make_finished_run(folder, classes=("no", "yes"), threshold=0.6, dataset="text: words\n  label: said", **made):
    """The same with all the other files of a run, see `made_runs.make_run`."""
    from reporting.report import made_runs

    made_runs.make_run(folder, classes=classes, **made)
    return make_run(folder, list(classes), threshold, dataset)
