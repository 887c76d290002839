from hypothesis import given
from hypothesis import strategies as st

from search.evaluation.pareto import pareto_front

POINTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


def test_what_is_slower_and_no_better_is_off_the_front():
    assert pareto_front([0.5, 0.5, 0.9, 0.8, 0.9], [1, 2, 3, 4, 3]) == [True, False, True, False, True]


@given(POINTS)
def test_a_point_is_off_the_front_where_one_on_it_beats_it(points):
    front = pareto_front(*zip(*points, strict=True))
    kept = [point for point, on in zip(points, front, strict=True) if on]
    for (quality, cost), on in zip(points, front, strict=True):
        beaten = any(q >= quality and c <= cost and (q, c) != (quality, cost) for q, c in kept)
        assert on is not beaten
