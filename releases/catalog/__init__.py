"""The catalog: stages, families, sources and their approvals, as data. One parser, one digest."""
