"""The contents of documents over HTTP: sent and fetched as streams, each through the Gate."""
