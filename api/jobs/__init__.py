"""Work that nobody asks for request by request: each step of it is an operation like any other."""
