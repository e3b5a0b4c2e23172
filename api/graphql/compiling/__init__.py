"""The parts of compiling a document: which fields are asked for, with which arguments, in which form they answer."""
