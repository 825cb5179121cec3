//! Which containers have a volume, and which of them run.
