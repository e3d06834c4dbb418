"""The site: the state of the warehouse, lineage and documentation, Data Docs and notebooks as one static folder."""
