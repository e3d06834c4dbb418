"""The engines: how to reach each, and what differs between them."""
