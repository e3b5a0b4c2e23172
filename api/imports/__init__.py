"""Files become operations: read in bounded batches, mapped by a TOML map, driven through the Gate."""
