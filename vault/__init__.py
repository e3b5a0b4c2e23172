"""The only floor that touches a disk or a cipher: store, seals, keys and the audit log."""
