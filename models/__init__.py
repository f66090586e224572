"""Reference systems, plugged in through `ablate.toml` exactly as a user's own would be."""
