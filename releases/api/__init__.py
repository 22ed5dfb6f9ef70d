"""The REST API of published releases: service tokens only, problem details for refusals. Writes only consumptions."""
