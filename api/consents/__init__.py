"""Consents as JSON-LD: the form of ISO/IEC TS 27560 in the W3C Data Privacy Vocabulary, read and written."""
