"""Great Expectations on both targets: what the data should look like, said once, as a gate that people can read."""
