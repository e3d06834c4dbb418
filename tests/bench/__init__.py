"""The benchmark: what the whole job costs beside the script that a good engineer would write instead."""
