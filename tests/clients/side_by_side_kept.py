"""The differences from the other engine that are kept: (case, pattern of the line of difference, reason)."""

KEPT = [
]
