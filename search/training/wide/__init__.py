"""The training of words beside a head: a logistic regression that is fitted before the head, at its optimum.

The weights of words at the optimum are a matter of seconds for a convex solver and of hundreds of epochs for the
optimizers of heads, so no epoch moves them: their logits are added to the head's, which learns what words do not say.
Of a training row the model of all rows knows the label, and would leave the head nothing to learn there: for training,
the logits of each row come from a model that was fitted on other rows (stacking, Wolpert 1992).
"""
