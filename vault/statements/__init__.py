"""Credit statements as they leave: SD-JWT VC and status lists, signed here and verified anywhere."""
