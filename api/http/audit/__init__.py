"""The audit log over HTTP, as the files that anybody's verifier reads (C2SP tlog-tiles)."""
