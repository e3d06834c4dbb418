"""A source file as lines, the rules for a good one, and the parts they are cut into."""
