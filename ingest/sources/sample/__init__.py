"""A generated data set in the shape of a GroupLens release, with every quirk of the real ones, day by day.

Day 1 is a whole release; each later day is what changed. Same arguments, same bytes, on every platform.
"""
